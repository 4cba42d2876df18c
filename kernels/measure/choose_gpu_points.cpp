#include "kernels/measure/choose_gpu_points.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/layer/weights.hpp"
#include "kernels/measure/point_family.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;

constexpr SpreadRange kRows{1, 65536};
constexpr SpreadRange kWidth{256, 16384, 64};
constexpr SpreadRange kModel{512, 8192, 64};
constexpr SpreadRange kGroups{2, 128};
constexpr SpreadRange kExperts{8, 256};
constexpr SpreadRange kChoices{1, 8};

std::vector<PointFamily> families() {
  return {{kCopy, {{1e5, 2e9, 256}}},
          {kGemm, {kRows, kWidth, kWidth}, 2.0},
          {kGroupedForward, {kRows, kWidth, kWidth, kGroups}, 3.0},
          {kGroupedDataGradient, {kRows, kWidth, kWidth, kGroups}, 2.5},
          {kGroupedWeightGradient, {kRows, kWidth, kWidth, kGroups}, 2.5},
          {kRouter, {kRows, kModel, kExperts, kChoices}, 1.5},
          {kRouterBackward, {kRows, kModel, kExperts, kChoices}, 1.5},
          {kPlan, {kRows, kExperts, kChoices}},
          {kPermute, {kRows, kModel}},
          {kUnpermute, {kRows, kModel, kChoices}},
          {kCombine, {kRows, kModel, kChoices}},
          {kCombineBackward, {kRows, kModel, kChoices}},
          {kActivation, {kRows, kWidth}, 0.7, Activation::kRelu},
          {kActivation, {kRows, kWidth}, 0.7, Activation::kSwiglu},
          {kActivationBackward, {kRows, kWidth}, 0.7, Activation::kRelu},
          {kActivationBackward, {kRows, kWidth}, 0.7, Activation::kSwiglu}};
}

constexpr double kMostFlop = 2e12;
constexpr double kMostBytes = 8e9;

bool is_of_bfloat16_alone(MeasuredOperator op) {
  return op == kGemm || is_grouped(op) || op == kRouter || op == kRouterBackward;
}

bool has_numbers(MeasuredOperator op) { return op != kCopy && op != kPlan; }

OperatorPoint point_of(const PointFamily& family, int i) {
  OperatorPoint point{
      .op = family.op,
      .is_bfloat16 = has_numbers(family.op) && (is_of_bfloat16_alone(family.op) || i % 5 != 4),
      .activation = family.activation,
      .role = role_of(i)};
  double shrink = 1.0;
  do {
    point.sizes = sizes_of(family, i, shrink);
    shrink -= 0.02;
  } while (rough_cost(point).flop > kMostFlop || rough_cost(point).bytes > kMostBytes);
  skew_some(point, i);
  return point;
}

std::vector<OperatorPoint> layer_points() {
  struct Layer {
    std::int64_t tokens, d_model, d_ff, experts, choices;
    Activation activation;
    double skew;
  };
  // Switch-Base and Mixtral as published; of Switch-C the widths, with experts of one of many GPUs.
  const Layer layers[] = {{8192, 768, 2048, 128, 1, Activation::kGeglu, 0.0},
                          {4096, 4096, 14336, 8, 2, Activation::kSwiglu, 0.0},
                          {8192, 2080, 6144, 16, 1, Activation::kRelu, 0.0},
                          {8192, 768, 2048, 128, 1, Activation::kGeglu, 1.2},
                          {32, 4096, 14336, 8, 2, Activation::kSwiglu, 0.0}};
  std::vector<OperatorPoint> points;
  for (const Layer& layer : layers)
    points.push_back(
        {.op = kLayerForwardBackward,
         .is_bfloat16 = true,
         .sizes = {layer.tokens, layer.d_model, layer.d_ff, layer.experts, layer.choices, 1, 1, 1},
         .activation = layer.activation,
         .skew = layer.skew,
         .role = PointRole::kLayer});
  return points;
}

double rough_seconds_of(const std::vector<OperatorPoint>& points, const MeasurePlan& plan) {
  double seconds = 0.0;
  for (const OperatorPoint& point : points) seconds += rough_gpu_seconds(point, plan);
  return seconds;
}

}  // namespace

double rough_gpu_seconds(const OperatorPoint& point, const MeasurePlan& plan) {
  const RoughCost cost = rough_cost(point);
  const double once = cost.flop / plan.flop_per_s + cost.bytes / plan.bytes_per_s;
  constexpr double kRepeats = 16.0;  // ten, those beside others' work, warming up
  constexpr double kLeast = 0.12;    // to allocate, fill and capture; reference products
  const double drawn = is_layer(point.op) ? 3.0 : 0.0;  // tokens, on the host
  return 2.0 * (std::max(kRepeats * once, kLeast) + kLeast + drawn);
}

double gpu_bytes(const OperatorPoint& point, double cache_bytes) {
  const auto size = [&](std::string_view name) {
    return static_cast<double>(size_of(point, name));
  };
  const double element = point.is_bfloat16 ? 2.0 : 4.0;
  constexpr double kWorkspaces = 256e6;  // of products, and the reference product
  const double rotated = 2.0 * cache_bytes;
  if (point.op == kCopy) return kWorkspaces + std::max(2.0 * size("bytes"), rotated);
  if (point.op == kGemm || is_grouped(point.op)) {
    const double experts = point.op == kGemm ? 1.0 : size("experts");
    const double of_weight = point.op == kGroupedWeightGradient ? 4.0 : element;
    return kWorkspaces + std::max(of_weight * experts * size("n") * size("k"), rotated) +
           element * size("rows") * (size("n") + size("k"));
  }
  if (is_layer(point.op)) {
    const double gate = is_glu(point.activation) ? 2.0 : 1.0;
    const double weights = size("experts") * size("d_model") * size("d_ff") * (1.0 + gate);
    const double rows = size("tokens") * size("choices");
    const double widths = 4.0 * size("d_model") + (1.0 + gate) * 2.0 * size("d_ff");
    return kWorkspaces + (element + 4.0) * weights + element * rows * widths +
           24.0 * size("tokens") * (size("experts") + size("d_model"));
  }
  if (is_collective(point.op)) return kWorkspaces + 3.0 * size("bytes");
  return kWorkspaces + 2.0 * rough_cost(point).bytes;
}

std::vector<OperatorPoint> choose_gpu_points(const MeasurePlan& plan) {
  constexpr std::array kCollectives{kAllToAll, kAllReduce};  // of memory of the GPUs, over NCCL
  if (plan.ranks > 1) return collective_points(plan, kCollectives, 1e9, 20);
  std::vector<OperatorPoint> layers = layer_points();
  while (layers.size() > 1 && rough_seconds_of(layers, plan) > 0.25 * plan.budget_s)
    layers.pop_back();
  const PointChoice choice{
      .families = families(),
      .ahead = {{.op = kLaunch}, {.op = kSync}},
      .points_of = [](const PointFamily& family,
                      int i) { return std::vector{point_of(family, i)}; },
      .seconds = [&](const OperatorPoint& point) { return rough_gpu_seconds(point, plan); },
      .most_density = 40.0};  // more points cost the fit more than they tell it
  return coarsest_first(choice, 0.75 * plan.budget_s - rough_seconds_of(layers, plan), layers);
}

}  // namespace switchyard::kernels
