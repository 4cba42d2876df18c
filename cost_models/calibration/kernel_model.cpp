#include "cost_models/calibration/kernel_model.hpp"

#include <cmath>
#include <limits>

namespace switchyard {
namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

using K = KernelConstant;

// Starts are of a core of a server; a search leaves them far behind on other devices.
constexpr ConstantRange kLaunch{K::kLaunch, 1e-6, 1e-9, 1e-2};
constexpr ConstantRange kRate{K::kRate, 5e10, 1e8, 1e16};
constexpr ConstantRange kCache{K::kCacheBandwidth, 2e10, 1e8, 1e14};
constexpr ConstantRange kMemory{K::kMemoryBandwidth, 5e9, 1e7, 1e14};
constexpr ConstantRange kLastLevel{K::kLastLevelBandwidth, 1e10, 1e7, 1e14};
constexpr ConstantRange kKnee{K::kKnee, 2e6, 1e4, 1e10, 5};
constexpr ConstantRange kSharpness{K::kSharpness, 4.0, 0.4, 12.0, 3};
constexpr ConstantRange kLastLevelKnee{K::kLastLevelKnee, 2e7, 1e5, 1e11, 5};
constexpr ConstantRange kLastLevelSharpness{K::kLastLevelSharpness, 2.0, 0.4, 12.0, 3};
constexpr ConstantRange kWeights{K::kWeightBandwidth, 4e9, 1e7, 1e14};
constexpr ConstantRange kItem{K::kItem, 2e-9, 1e-14, 1e-5};
constexpr ConstantRange kGroup{K::kGroup, 1e-8, 1e-13, 1e-3};
constexpr ConstantRange kCombination{K::kCombination, 1.5, 1.0, 16.0};
constexpr ConstantRange kOverlap{K::kCombination, 2.0, 1.0, 16.0, 3};
constexpr ConstantRange kSharedCompute{K::kSharedCompute, 0.05, 1e-4, 4.0};
constexpr ConstantRange kSharedMemory{K::kSharedMemory, 0.2, 1e-4, 4.0};
constexpr ConstantRange kNarrow{K::kNarrow, 1.2, 0.3, 16.0};

constexpr std::array kOfLaunch{kLaunch};
constexpr std::array kOfCopy{kLaunch,    kCache,         kLastLevel,          kMemory,      kKnee,
                             kSharpness, kLastLevelKnee, kLastLevelSharpness, kSharedMemory};
constexpr std::array kOfProducts{kLaunch,      kRate,          kCache,        kWeights, kGroup,
                                 kCombination, kSharedCompute, kSharedMemory, kNarrow};
constexpr std::array kOfRouter{kLaunch,       kRate,          kCache,
                               kLastLevel,    kMemory,        kKnee,
                               kSharpness,    kLastLevelKnee, kLastLevelSharpness,
                               kItem,         kGroup,         kSharedCompute,
                               kSharedMemory, kNarrow};
constexpr std::array kOfPlan{kLaunch, kItem, kGroup, kSharedCompute};
constexpr std::array kOfRows{kLaunch, kCache,     kLastLevel,     kMemory,
                             kKnee,   kSharpness, kLastLevelKnee, kLastLevelSharpness,
                             kItem,   kGroup,     kOverlap,       kSharedMemory,
                             kNarrow};
constexpr std::array kOfAttention{
    kLaunch, kRate,      kCache,         kLastLevel,          kMemory,
    kKnee,   kSharpness, kLastLevelKnee, kLastLevelSharpness, kWeights,
    kItem,   kGroup,     kOverlap,       kSharedCompute,      kSharedMemory,
    kNarrow};

}  // namespace

std::string_view constant_name(KernelConstant constant) {
  static constexpr std::array<std::string_view, kNumKernelConstants> kNames{
      "launch", "rate",      "cache_bandwidth", "last_level_bandwidth", "memory_bandwidth",
      "knee",   "sharpness", "last_level_knee", "last_level_sharpness", "weight_bandwidth",
      "item",   "group",     "combination",     "shared_compute",       "shared_memory",
      "narrow"};
  return kNames.at(static_cast<std::size_t>(constant));
}

bool is_of_memory(KernelConstant constant) {
  switch (constant) {
    case K::kCacheBandwidth:
    case K::kLastLevelBandwidth:
    case K::kMemoryBandwidth:
    case K::kKnee:
    case K::kSharpness:
    case K::kLastLevelKnee:
    case K::kLastLevelSharpness:
      return true;
    default:
      return false;
  }
}

std::span<const ConstantRange> constant_ranges(KernelKind kind) {
  switch (kind) {
    case KernelKind::kLaunch:
    case KernelKind::kSync:
      return kOfLaunch;
    case KernelKind::kCopy:
      return kOfCopy;
    case KernelKind::kGemm:
    case KernelKind::kGroupedForward:
    case KernelKind::kGroupedDataGradient:
    case KernelKind::kGroupedWeightGradient:
      return kOfProducts;
    case KernelKind::kRouter:
    case KernelKind::kRouterBackward:
      return kOfRouter;
    case KernelKind::kPlan:
      return kOfPlan;
    case KernelKind::kPermute:
    case KernelKind::kUnpermute:
    case KernelKind::kCombine:
    case KernelKind::kCombineBackward:
    case KernelKind::kLayerNorm:
    case KernelKind::kActivation:
    case KernelKind::kActivationBackward:
      return kOfRows;
    case KernelKind::kAttentionPrefill:
    case KernelKind::kAttentionDecode:
      return kOfAttention;
  }
  return {};
}

KernelConstants neutral_constants() {
  KernelConstants c{};
  for (const K rate : {K::kRate, K::kCacheBandwidth, K::kLastLevelBandwidth, K::kMemoryBandwidth,
                       K::kWeightBandwidth, K::kKnee, K::kLastLevelKnee})
    c[static_cast<std::size_t>(rate)] = kEndless;
  for (const K factor : {K::kCombination, K::kSharpness, K::kLastLevelSharpness, K::kNarrow})
    c[static_cast<std::size_t>(factor)] = 1.0;
  return c;
}

Seconds kernel_time(const KernelWork& work, int other_cores, const KernelConstants& constants) {
  const auto c = [&](K constant) { return constants[static_cast<std::size_t>(constant)]; };
  const double others = other_cores;
  const double set = work.working_set.base();
  const auto share_beyond = [&](K knee, K sharpness) {
    if (std::isinf(c(knee)) || set == 0.0) return 0.0;
    return 1.0 / (1.0 + std::pow(c(knee) / set, c(sharpness)));
  };
  const double wider = c(K::kNarrow) - 1.0;
  const double slower = 1.0 + c(K::kSharedCompute) * others;
  const double compute =
      (work.flop.base() / c(K::kRate) + c(K::kItem) * (work.items + wider * work.narrow_items)) *
      slower;
  const double in_cache = 1.0 / c(K::kCacheBandwidth);
  const double in_last_level = 1.0 / c(K::kLastLevelBandwidth);
  const double per_byte = in_cache +
                          (in_last_level - in_cache) * share_beyond(K::kKnee, K::kSharpness) +
                          (1.0 / c(K::kMemoryBandwidth) - in_last_level) *
                              share_beyond(K::kLastLevelKnee, K::kLastLevelSharpness);
  const double traffic =
      ((work.traffic + wider * work.narrow_traffic).base() * per_byte +
       (work.weights + wider * work.narrow_weights).base() / c(K::kWeightBandwidth)) *
      (1.0 + c(K::kSharedMemory) * others);
  const double p = c(K::kCombination);
  const double longer = std::max(compute, traffic);
  const double shorter = std::min(compute, traffic);
  const double together =
      longer == 0.0 ? 0.0 : longer * std::pow(1.0 + std::pow(shorter / longer, p), 1.0 / p);
  return Seconds{c(K::kLaunch) + together + c(K::kGroup) * work.groups * slower};
}

}  // namespace switchyard
