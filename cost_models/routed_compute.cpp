#include "cost_models/routed_compute.hpp"

#include <algorithm>

#include "cost_models/calibration/priced_operator.hpp"
#include "cost_models/compute.hpp"
#include "cost_models/matmul_time.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// One expert after the other.
OperatorWork sequential_work(Operator one, const std::vector<std::int64_t>& experts,
                             const DeviceProfile& device) {
  OperatorWork sum{.time = device.operator_overhead, .flop = {}, .bytes = {}};
  for (const std::int64_t count : experts) {
    if (count == 0) continue;
    set_rows(one, count);
    const OperatorWork part = operator_work(one, device);
    sum.time += part.time - device.operator_overhead;
    sum.flop += part.flop;
    sum.bytes += part.bytes;
  }
  return sum;
}

/// All experts in one kernel of a device with a matmul_model.
OperatorWork grouped_work(Operator one, const std::vector<std::int64_t>& experts,
                          const DeviceProfile& device) {
  OperatorWork sum;
  std::vector<Matmul> products;
  for (const std::int64_t count : experts) {
    if (count == 0) continue;
    set_rows(one, count);
    if (one.matmul.batch > 0.0) products.push_back(one.matmul);
    sum.flop += matmul_flop(one.matmul);
    sum.bytes += memory_traffic(one, device.memory_tile);
  }
  sum.time = std::max(tiled_product_time(products, device) / device.sustained_speed.value,
                      transfer_time(sum.bytes, one.matmul, device)) +
             device.operator_overhead;
  return sum;
}

}  // namespace

OperatorWork operator_work(const Operator& op, const DeviceProfile& device) {
  return {.time = operator_time(op, device),
          .flop = matmul_flop(op.matmul),
          .bytes = memory_traffic(op, device.memory_tile)};
}

std::vector<OperatorWork> routed_work(const Operator& op, const LayerRows& rows,
                                      const DeviceProfile& device) {
  SWITCHYARD_CHECK(op.routed.rows != RoutedRows::kNone, "'{}' has no routed rows", op.name);
  std::vector<OperatorWork> work;
  if (op.routed.rows != RoutedRows::kOfEachExpert) {
    Operator sized = op;
    for (const std::int64_t count :
         op.routed.rows == RoutedRows::kSentByRank ? sent_rows(rows) : received_rows(rows)) {
      set_rows(sized, count);
      work.push_back(operator_work(sized, device));
    }
    return work;
  }
  const Operator one = one_expert(op);
  for (const std::vector<std::int64_t>& experts : rows.of_experts) {
    work.push_back(device.matmul_model ? grouped_work(one, experts, device)
                                       : sequential_work(one, experts, device));
    if (const auto priced = priced_experts(op, experts, device)) work.back().time = priced->time;
  }
  return work;
}

}  // namespace switchyard
