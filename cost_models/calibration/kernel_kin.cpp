#include "cost_models/calibration/kernel_kin.hpp"

#include <algorithm>
#include <numeric>

namespace switchyard {
namespace {

using K = KernelConstant;

// What it costs as much as a point that is 5 % off to differ by. Reads and writes are mixed
// otherwise than in copies, but the caches are the same.
constexpr double kNearBandwidth = 1.5;
constexpr double kNearKnee = 1.3;
constexpr double kNearKin = 2.0;

bool is_bandwidth(K constant) {
  return constant == K::kCacheBandwidth || constant == K::kLastLevelBandwidth ||
         constant == K::kMemoryBandwidth;
}

}  // namespace

KernelKin kin_of(KernelKind kind) {
  switch (kind) {
    case KernelKind::kGemm:
    case KernelKind::kGroupedForward:
    case KernelKind::kGroupedDataGradient:
    case KernelKind::kGroupedWeightGradient:
      return KernelKin::kProducts;
    case KernelKind::kRouter:
    case KernelKind::kRouterBackward:
      return KernelKin::kRouters;
    case KernelKind::kPermute:
    case KernelKind::kUnpermute:
    case KernelKind::kCombine:
    case KernelKind::kCombineBackward:
    case KernelKind::kLayerNorm:
      return KernelKin::kRows;
    case KernelKind::kActivation:
    case KernelKind::kActivationBackward:
      return KernelKin::kActivations;
    default:
      return KernelKin::kNone;
  }
}

std::vector<ConstantRange> near_copies(const KernelConstants& of_copies) {
  std::vector<ConstantRange> near;
  for (ConstantRange range : constant_ranges(KernelKind::kCopy)) {
    if (!is_of_memory(range.constant)) continue;
    range.start = of_copies[static_cast<std::size_t>(range.constant)];
    range.start_factor = is_bandwidth(range.constant) ? kNearBandwidth : kNearKnee;
    near.push_back(range);
  }
  return near;
}

std::vector<ConstantRange> near_kin(const std::vector<Points>& kinds, const ProductTiles& tiles,
                                    const std::vector<ConstantRange>& machine) {
  if (kinds.size() < 2) return machine;
  Points all;
  for (const Points& points : kinds) all.insert(all.end(), points.begin(), points.end());
  const KernelForm form{all, tiles, machine};
  std::vector<std::size_t> places(all.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const std::vector<double> fitted = form.best_fit(places);
  std::vector<ConstantRange> near = form.ranges();
  for (std::size_t j = 0; j < near.size(); ++j) {
    near[j].start = fitted[j];
    if (std::ranges::find(machine, near[j].constant, &ConstantRange::constant) == machine.end())
      near[j].start_factor = std::min(near[j].start_factor, kNearKin);
  }
  return near;
}

}  // namespace switchyard
