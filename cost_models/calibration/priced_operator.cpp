#include "cost_models/calibration/priced_operator.hpp"

#include <algorithm>
#include <numeric>

namespace switchyard {
namespace {

/// A ratio was measured of one call of the class: what it is applied to is no longer measured.
KernelPrediction at_speed(KernelPrediction prediction, const KernelCall& call,
                          const KernelProfile& profile) {
  if (profile.speed == KernelSpeed::kBurst) return prediction;
  const auto found = profile.sustained.find(sustained_class(call.kind, call.element_bytes));
  if (found == profile.sustained.end()) return prediction;
  const double longer = 1.0 / found->second.ratio;
  return {.time = longer * prediction.time,
          .provenance = worse(prediction.provenance, Provenance::kFitted),
          .low = longer * prediction.low,
          .high = longer * prediction.high};
}

std::optional<KernelPrediction> priced(const Operator& op, std::vector<std::int64_t> loads,
                                       const DeviceProfile& device) {
  if (!device.kernels || !op.kernel) return std::nullopt;
  const KernelProfile& profile = *device.kernels;
  const KernelUse& use = *op.kernel;
  KernelCall call{.kind = use.kind,
                  .element_bytes = use.element_bytes,
                  .sizes = use.sizes,
                  .variant = use.variant,
                  .threads = profile.threads,
                  .busy_ranks = profile.busy_ranks};
  const KernelModel* model = find_model(profile, call);
  if (model == nullptr) return std::nullopt;
  if (use.is_elsewhere)
    return KernelPrediction{.time = {}, .provenance = Provenance::kMeasured, .low = {}, .high = {}};
  if (!loads.empty()) {
    call.sizes.front() = std::accumulate(loads.begin(), loads.end(), std::int64_t{0});
    const std::vector<std::int64_t> even = expert_loads(call);
    std::vector<std::int64_t> sorted = loads;
    std::ranges::sort(sorted, std::greater{});
    if (sorted != even) call.loads = std::move(loads);
  }
  return at_speed(predict_kernel(*model, call, profile.tiles), call, profile);
}

}  // namespace

std::optional<KernelPrediction> priced_operator(const Operator& op, const DeviceProfile& device) {
  return priced(op, {}, device);
}

std::optional<KernelPrediction> priced_experts(const Operator& op,
                                               const std::vector<std::int64_t>& loads,
                                               const DeviceProfile& device) {
  return priced(op, loads, device);
}

Provenance worse(Provenance a, Provenance b) { return std::max(a, b); }

}  // namespace switchyard
