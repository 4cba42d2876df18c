#include "cost_models/time_evidence.hpp"

#include <algorithm>
#include <numeric>

#include "cost_models/calibration/priced_operator.hpp"

namespace switchyard {
namespace {

/// Loads of the experts of the rank that has most rows.
const std::vector<std::int64_t>& busiest_loads(const LayerRows& rows) {
  return *std::ranges::max_element(rows.of_experts, {}, [](const std::vector<std::int64_t>& of) {
    return std::accumulate(of.begin(), of.end(), std::int64_t{0});
  });
}

std::optional<KernelPrediction> prediction_of(const Operator& op, const DeviceProfile& device,
                                              std::span<const LayerRows> routing) {
  if (!device.kernels || !op.kernel) return std::nullopt;
  if (op.routed.rows == RoutedRows::kNone || routing.empty()) return priced_operator(op, device);
  const LayerRows& rows = routing[static_cast<std::size_t>(op.routed.moe_layer)];
  if (op.routed.rows == RoutedRows::kOfEachExpert)
    return priced_experts(op, busiest_loads(rows), device);
  Operator sized = op;
  set_rows(sized,
           std::ranges::max(op.routed.rows == RoutedRows::kSentByRank ? sent_rows(rows)
                                                                      : received_rows(rows)));
  return priced_operator(sized, device);
}

}  // namespace

TimeEvidence operator_evidence(const Operator& op, const DeviceProfile& device,
                               std::span<const LayerRows> routing) {
  if (const auto priced = prediction_of(op, device, routing)) {
    if (priced->time == Seconds{}) return {.provenance = priced->provenance};
    return {.provenance = priced->provenance,
            .low = priced->low / priced->time,
            .high = priced->high / priced->time};
  }
  TimeEvidence evidence;
  if (!device.kernels)
    evidence.provenance = op.matmul.batch > 0.0 ? device.matmul_efficiency.provenance
                                                : device.memory_efficiency.provenance;
  if (device.step_interval) {
    evidence.low = device.step_interval->low;
    evidence.high = device.step_interval->high;
  }
  return evidence;
}

TimeEvidence collective_evidence(const LibraryCollective& collective) {
  // Nothing was measured: links alone, without what ranks wait for one another.
  constexpr double kUnknown = 1.0;
  if (collective.provenance == Provenance::kAssumed && collective.error_band == 0)
    return {
        .provenance = Provenance::kAssumed, .low = 1.0 / (1.0 + kUnknown), .high = 1.0 + kUnknown};
  return {.provenance = collective.provenance,
          .low = 1.0 / (1.0 + collective.error_band),
          .high = 1.0 + collective.error_band};
}

}  // namespace switchyard
