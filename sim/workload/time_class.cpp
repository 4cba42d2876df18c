#include "sim/workload/time_class.hpp"

#include <algorithm>
#include <array>

namespace switchyard {
namespace {

constexpr std::array<std::string_view, kNumTimeClasses> kNames = {
    "products",    "attention", "experts",    "router",     "permutation",
    "elementwise", "optimizer", "all-to-all", "all-reduce", "gather"};

/// Between the projections; kernels of one product each say so by their names alone.
bool is_attention_core(const Operator& op) {
  if (op.operator_class != OperatorClass::kAttention) return false;
  if (op.matmul.kernel == MatmulKernel::kFusedAttention) return true;
  return std::ranges::any_of(
      std::array<std::string_view, 4>{".core.", ".scores.", ".softmax.", ".context."},
      [&](std::string_view part) { return op.name.find(part) != std::string::npos; });
}

}  // namespace

std::string_view time_class_name(TimeClass time_class) {
  return kNames.at(static_cast<std::size_t>(time_class));
}

std::optional<TimeClass> time_class_of_name(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TimeClass>(found - kNames.begin());
}

TimeClass time_class(const Operator& op) {
  const bool is_product = op.matmul.batch > 0.0;
  switch (op.operator_class) {
    case OperatorClass::kOptimizer:
      return TimeClass::kOptimizer;
    case OperatorClass::kRouter:
      return TimeClass::kRouter;
    case OperatorClass::kDispatch:
      return TimeClass::kPermutation;
    case OperatorClass::kExperts:
      return is_product ? TimeClass::kExperts : TimeClass::kElementwise;
    default:
      if (is_attention_core(op)) return TimeClass::kAttention;
      return is_product ? TimeClass::kProducts : TimeClass::kElementwise;
  }
}

TimeClass time_class(const Collective& collective) {
  if (collective.kind == CollectiveKind::kAllToAll) return TimeClass::kAllToAll;
  if (collective.kind == CollectiveKind::kAllReduce) return TimeClass::kAllReduce;
  return TimeClass::kGather;
}

}  // namespace switchyard
