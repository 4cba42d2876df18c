#include "cost_models/routed_compute.hpp"

#include "cost_models/compute.hpp"
#include "sim/core/error.hpp"

namespace switchyard {

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
  Operator one = one_expert(op);
  for (const std::vector<std::int64_t>& experts : rows.of_experts) {
    OperatorWork sum{.time = device.operator_overhead, .flop = {}, .bytes = {}};
    for (const std::int64_t count : experts) {
      if (count == 0) continue;
      set_rows(one, count);
      const OperatorWork part = operator_work(one, device);
      sum.time += part.time - device.operator_overhead;
      sum.flop += part.flop;
      sum.bytes += part.bytes;
    }
    work.push_back(sum);
  }
  return work;
}

}  // namespace switchyard
