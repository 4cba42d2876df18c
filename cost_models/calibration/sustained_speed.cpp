#include "cost_models/calibration/sustained_speed.hpp"

#include "cost_models/calibration/kernel_profile.hpp"
#include "cost_models/system.hpp"

namespace switchyard {

std::string_view speed_name(KernelSpeed speed) {
  return speed == KernelSpeed::kBurst ? "burst" : "sustained";
}

std::string speed_of(const System& system) {
  return system.device.kernels ? std::string{speed_name(system.device.kernels->speed)} : "";
}

std::string_view sustained_class(KernelKind kind, int element_bytes) {
  switch (kind) {
    case KernelKind::kLaunch:
    case KernelKind::kSync:
    case KernelKind::kPlan:
      return "";
    case KernelKind::kGemm:
    case KernelKind::kRouter:
    case KernelKind::kRouterBackward:
      return element_bytes == 2 ? "product_bfloat16" : "product_float32";
    case KernelKind::kGroupedForward:
    case KernelKind::kGroupedDataGradient:
    case KernelKind::kGroupedWeightGradient:
      return "grouped";
    case KernelKind::kAttentionPrefill:
    case KernelKind::kAttentionDecode:
      return "attention";
    case KernelKind::kCopy:
    case KernelKind::kPermute:
    case KernelKind::kUnpermute:
    case KernelKind::kCombine:
    case KernelKind::kCombineBackward:
    case KernelKind::kActivation:
    case KernelKind::kActivationBackward:
    case KernelKind::kLayerNorm:
      return "memory";
  }
  return "";
}

}  // namespace switchyard
