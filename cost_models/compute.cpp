#include "cost_models/compute.hpp"

#include <algorithm>

#include "cost_models/calibration/priced_operator.hpp"
#include "cost_models/matmul_time.hpp"

namespace switchyard {
namespace {

double round_up(std::int64_t count, std::int64_t multiple) {
  return static_cast<double>((count + multiple - 1) / multiple * multiple);
}

}  // namespace

Flop padded_flop(const Matmul& matmul, const MatmulTile& tile) {
  const double rows =
      std::max(round_up(matmul.rows, tile.rows), static_cast<double>(tile.minimum_rows));
  return Flop{2.0 * matmul.computed_share * matmul.batch * rows *
              round_up(matmul.contraction, tile.contraction) *
              round_up(matmul.columns, tile.columns)};
}

Bytes padded_bytes(const Tensor& tensor, const MemoryTile& tile) {
  return Bytes{tensor.outer * round_up(tensor.rows, tile.rows) *
               round_up(tensor.columns, tile.columns) * tensor.element_bytes};
}

Bytes memory_traffic(const Operator& op, const MemoryTile& tile) {
  Bytes total;
  for (const Traffic& traffic : op.traffic)
    total += traffic.passes * padded_bytes(traffic.tensor, tile);
  return total;
}

Seconds product_time(const Operator& op, const DeviceProfile& device) {
  if (op.matmul.batch == 0.0) return Seconds{};
  const double speed = device.sustained_speed.value;
  if (!device.matmul_model)
    return padded_flop(op.matmul, device.matmul_tile) /
           (device.peak_bfloat16 * (device.matmul_efficiency.value * speed));
  if (op.matmul.kernel == MatmulKernel::kFusedAttention)
    return fused_attention_time(op.matmul, op.phase, device) / speed;
  return tiled_product_time({&op.matmul, 1}, device) / speed;
}

Seconds transfer_time(Bytes traffic, const Matmul& matmul, const DeviceProfile& device) {
  const bool is_streamed = device.matmul_model.has_value() && matmul.batch > 0.0;
  const Constant& efficiency =
      is_streamed ? device.matmul_model->streaming_efficiency : device.memory_efficiency;
  return traffic / (device.memory_bandwidth * efficiency.value);
}

Seconds operator_time(const Operator& op, const DeviceProfile& device) {
  if (const auto priced = priced_operator(op, device)) return priced->time;
  const Bytes traffic = memory_traffic(op, device.memory_tile);
  return std::max(product_time(op, device), transfer_time(traffic, op.matmul, device)) +
         device.operator_overhead;
}

bool is_compute_bound(const Operator& op, const DeviceProfile& device) {
  const Bytes traffic = memory_traffic(op, device.memory_tile);
  return product_time(op, device) > transfer_time(traffic, op.matmul, device);
}

}  // namespace switchyard
