#include "cost_models/compute.hpp"

#include <algorithm>

namespace switchyard {
namespace {

double round_up(std::int64_t count, std::int64_t multiple) {
  return static_cast<double>((count + multiple - 1) / multiple * multiple);
}

Seconds product_time(const Operator& op, const DeviceProfile& device) {
  if (op.matmul.batch == 0.0) return Seconds{};
  return padded_flop(op.matmul, device.matmul_tile) /
         (device.peak_bfloat16 * device.matmul_efficiency.value);
}

Seconds transfer_time(const Operator& op, const DeviceProfile& device) {
  return memory_traffic(op, device.memory_tile) /
         (device.memory_bandwidth * device.memory_efficiency.value);
}

}  // namespace

Flop padded_flop(const Matmul& matmul, const MatmulTile& tile) {
  const double rows =
      std::max(round_up(matmul.rows, tile.rows), static_cast<double>(tile.minimum_rows));
  return Flop{2.0 * matmul.batch * rows * round_up(matmul.contraction, tile.contraction) *
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

Seconds operator_time(const Operator& op, const DeviceProfile& device) {
  return std::max(product_time(op, device), transfer_time(op, device)) + device.operator_overhead;
}

bool is_compute_bound(const Operator& op, const DeviceProfile& device) {
  return product_time(op, device) > transfer_time(op, device);
}

}  // namespace switchyard
