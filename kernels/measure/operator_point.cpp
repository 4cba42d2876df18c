#include "kernels/measure/operator_point.hpp"

#include <algorithm>
#include <array>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/layer/weights.hpp"
#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {
namespace {

struct OperatorText {
  std::string_view name;
  std::vector<std::string_view> sizes;
};

/// In the order of MeasuredOperator.
const std::array<OperatorText, kNumMeasuredOperators>& texts() {
  static const std::array<OperatorText, kNumMeasuredOperators> kTexts{{
      {"launch", {}},
      {"sync", {}},
      {"copy", {"bytes"}},
      {"gemm", {"rows", "n", "k"}},
      {"grouped_forward", {"rows", "n", "k", "experts"}},
      {"grouped_data_gradient", {"rows", "n", "k", "experts"}},
      {"grouped_weight_gradient", {"rows", "n", "k", "experts"}},
      {"router", {"tokens", "d_model", "experts", "choices"}},
      {"router_backward", {"tokens", "d_model", "experts", "choices"}},
      {"plan", {"tokens", "experts", "choices"}},
      {"permute", {"rows", "d_model"}},
      {"unpermute", {"tokens", "d_model", "choices"}},
      {"combine", {"tokens", "d_model", "choices"}},
      {"combine_backward", {"tokens", "d_model", "choices"}},
      {"activation", {"rows", "d_ff"}},
      {"activation_backward", {"rows", "d_ff"}},
      {"layer_norm", {"rows", "d_model"}},
      {"attention_prefill", {"sequences", "tokens", "heads", "kv_heads", "d_head"}},
      {"attention_decode", {"sequences", "keys", "heads", "kv_heads", "d_head"}},
      {"all_to_all", {"bytes"}},
      {"all_reduce", {"bytes"}},
      {"all_gather", {"bytes"}},
      {"layer_forward",
       {"tokens", "d_model", "d_ff", "experts", "choices", "data", "tensor", "expert"}},
      {"layer_forward_backward",
       {"tokens", "d_model", "d_ff", "experts", "choices", "data", "tensor", "expert"}},
  }};
  return kTexts;
}

const OperatorText& text_of(MeasuredOperator op) {
  return texts().at(static_cast<std::size_t>(op));
}

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return "relu";
    case Activation::kGeglu:
      return "geglu";
    case Activation::kSwiglu:
      return "swiglu";
  }
  return "";
}

bool has_activation(MeasuredOperator op) {
  return op == MeasuredOperator::kActivation || op == MeasuredOperator::kActivationBackward ||
         is_layer(op);
}

std::string shape_text(const OperatorPoint& point) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(value);
  };
  const auto& names = size_names(point.op);
  for (std::size_t i = 0; i < names.size(); ++i) add(names[i], std::to_string(point.sizes.at(i)));
  if (has_activation(point.op)) add("kind", activation_name(point.activation));
  if (!point.loads.empty()) {
    std::string loads;
    for (const std::int64_t load : point.loads) {
      if (!loads.empty()) loads += ':';
      loads += std::to_string(load);
    }
    add("loads", loads);
  }
  if (point.skew != 0.0) add("skew", number_text(point.skew));
  return text;
}

}  // namespace

std::string_view operator_name(MeasuredOperator op) { return text_of(op).name; }

const std::vector<std::string_view>& size_names(MeasuredOperator op) { return text_of(op).sizes; }

bool is_collective(MeasuredOperator op) {
  return op == MeasuredOperator::kAllToAll || op == MeasuredOperator::kAllReduce ||
         op == MeasuredOperator::kAllGather;
}

bool is_grouped(MeasuredOperator op) {
  return op == MeasuredOperator::kGroupedForward || op == MeasuredOperator::kGroupedDataGradient ||
         op == MeasuredOperator::kGroupedWeightGradient;
}

bool is_layer(MeasuredOperator op) {
  return op == MeasuredOperator::kLayerForward || op == MeasuredOperator::kLayerForwardBackward;
}

std::int64_t size_of(const OperatorPoint& point, std::string_view name) {
  const auto& names = size_names(point.op);
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw KernelError{Fault::kSpec, std::string{operator_name(point.op)} + " has no size \"" +
                                        std::string{name} + "\""};
  return point.sizes.at(static_cast<std::size_t>(found - names.begin()));
}

std::string point_key(const OperatorPoint& point) {
  std::string key{operator_name(point.op)};
  key += point.is_bfloat16 ? ",bfloat16," : ",float32,";
  key += shape_text(point) + ',';
  key += transport_names()[static_cast<std::size_t>(point.transport)] + ',';
  return key + std::to_string(point.ranks) + ',' + std::to_string(point.busy_ranks) + ',' +
         std::to_string(point.threads);
}

RoughCost rough_cost(const OperatorPoint& point) {
  const double element = point.is_bfloat16 ? 2.0 : 4.0;
  const auto size = [&](std::string_view name) {
    return static_cast<double>(size_of(point, name));
  };
  using enum MeasuredOperator;
  switch (point.op) {
    case kLaunch:
    case kSync:
      return {};
    case kCopy:
      return {.bytes = 2.0 * size("bytes")};
    case kGemm:
    case kGroupedForward:
    case kGroupedDataGradient:
    case kGroupedWeightGradient: {
      const double experts = point.op == kGemm ? 1.0 : size("experts");
      return {.flop = 2.0 * size("rows") * size("n") * size("k"),
              .bytes = element *
                       (experts * size("n") * size("k") + size("rows") * (size("n") + size("k")))};
    }
    case kRouter:
    case kRouterBackward:
      return {.flop = (point.op == kRouter ? 2.0 : 4.0) * size("tokens") * size("d_model") *
                      size("experts"),
              .bytes = size("tokens") * (4.0 * element * size("d_model") + 40 * size("experts"))};
    case kPlan:
      return {.bytes = 50.0 * size("tokens") * size("choices")};
    case kPermute:
      return {.bytes = 2.0 * element * size("rows") * size("d_model")};
    case kUnpermute:
    case kCombine:
    case kCombineBackward:
      return {.bytes = 2.0 * element * size("tokens") * size("d_model") * (1 + size("choices"))};
    case kActivation:
    case kActivationBackward:
      return {.bytes = 5.0 * element * size("rows") * size("d_ff")};
    case kLayerNorm:
      return {.bytes = 2.0 * element * size("rows") * size("d_model")};
    case kAttentionPrefill:
      return {.flop = 4.0 * size("sequences") * size("tokens") * size("tokens") * size("heads") *
                      size("d_head")};
    case kAttentionDecode:
      return {.flop = 16.0 * size("sequences") * size("keys") * size("heads") * size("d_head")};
    case kAllToAll:
    case kAllReduce:
    case kAllGather:
      return {.bytes = 8.0 * size("bytes")};
    case kLayerForward:
    case kLayerForwardBackward:
      return {.flop = (point.op == kLayerForward ? 1.0 : 3.0) *
                      (is_glu(point.activation) ? 6.0 : 4.0) * size("tokens") * size("choices") *
                      size("d_model") * size("d_ff")};
  }
  return {};
}

}  // namespace switchyard::kernels
