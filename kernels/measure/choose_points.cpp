#include "kernels/measure/choose_points.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/bench/blas.hpp"
#include "kernels/measure/point_family.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;

constexpr SpreadRange kRows{8, 4096};
constexpr SpreadRange kWidth{192, 4096, 16};
constexpr SpreadRange kTokens{32, 8192};
constexpr SpreadRange kModel{256, 4096, 16};
constexpr SpreadRange kExperts{2, 128};
constexpr SpreadRange kChoices{1, 4};

/// Sizes of attention as models have them: powers of two of key heads, which divide the heads.
constexpr SpreadRange kKvHeads{1, 8};
constexpr SpreadRange kHeadWidth{64, 128, 64};

std::vector<PointFamily> families() {
  std::vector<PointFamily> all{
      {kCopy, {{3.2e4, 5e7, 64}}, 2.5, Activation::kRelu, false},
      {kGemm, {kRows, kWidth, kWidth}, 1.5},
      {kGroupedForward, {kRows, kWidth, kWidth, {2, 64}}, 3.0},
      {kGroupedDataGradient, {kRows, kWidth, kWidth, {2, 64}}, 2.5},
      {kGroupedWeightGradient, {kRows, kWidth, kWidth, {2, 64}}, 2.5},
      {kRouter, {kTokens, kModel, kExperts, kChoices}, 1.5},
      {kRouterBackward, {kTokens, kModel, kExperts, kChoices}, 1.5},
      {kPlan, {kTokens, kExperts, kChoices}, 1.0, Activation::kRelu, false},
      {kPermute, {kTokens, kModel}},
      {kUnpermute, {kTokens, kModel, kChoices}},
      {kCombine, {kTokens, kModel, kChoices}},
      {kCombineBackward, {kTokens, kModel, kChoices}},
      {kLayerNorm, {kTokens, kModel}},
      {kActivation, {kTokens, kWidth}, 0.7, Activation::kRelu},
      {kActivation, {kTokens, kWidth}, 0.7, Activation::kSwiglu},
      {kActivationBackward, {kTokens, kWidth}, 0.7, Activation::kRelu},
      {kActivationBackward, {kTokens, kWidth}, 0.7, Activation::kSwiglu}};
  all.push_back({kAttentionDecode,
                 {{1, 32}, {64, 4096, 16}, {8, 32, 8}, kKvHeads, kHeadWidth},
                 1.0,
                 Activation::kRelu,
                 false});
  if (has_blas())
    all.push_back({kAttentionPrefill,
                   {{1, 4}, {64, 1024, 16}, {8, 32, 8}, kKvHeads, kHeadWidth},
                   1.0,
                   Activation::kRelu,
                   false});
  return all;
}

constexpr double kMostFlop = 3e8;  ///< of a product, so that points stay short
constexpr double kMostBytes = 6e7;

bool is_attention(MeasuredOperator op) { return op == kAttentionPrefill || op == kAttentionDecode; }

OperatorPoint point_of(const PointFamily& family, int i, int threads) {
  OperatorPoint point{.op = family.op,
                      .is_bfloat16 = family.has_bfloat16 && i % 2 == 1,
                      .activation = family.activation,
                      .threads = threads,
                      .role = role_of(i)};
  double shrink = 1.0;
  do {
    point.sizes = sizes_of(family, i, shrink);
    if (std::ranges::find(size_names(point.op), "choices") != size_names(point.op).end() &&
        std::ranges::find(size_names(point.op), "experts") != size_names(point.op).end()) {
      point.sizes.back() = std::min(point.sizes.back(), size_of(point, "experts"));
    }
    if (is_attention(point.op))
      point.sizes[3] = std::int64_t{1} << std::lround(std::log2(point.sizes[3]));
    shrink -= 0.02;
  } while (rough_cost(point).flop > kMostFlop || rough_cost(point).bytes > kMostBytes);
  skew_some(point, i);
  return point;
}

/// Layers of the Switch and of the Mixtral kind, on one rank and on all.
std::vector<OperatorPoint> layer_points(const MeasurePlan& plan) {
  struct Layer {
    std::int64_t tokens, d_model, d_ff, experts, choices;
    Activation activation;
    bool is_bfloat16;
    double skew;
  };
  const Layer layers[] = {{384, 512, 1024, 8, 1, Activation::kRelu, false, 0.0},
                          {256, 512, 896, 8, 2, Activation::kSwiglu, true, 0.0},
                          {512, 384, 1024, 8, 1, Activation::kRelu, true, 1.2},
                          {160, 768, 768, 4, 2, Activation::kSwiglu, false, 0.0},
                          {768, 256, 640, 32, 1, Activation::kGeglu, false, 0.0},
                          {192, 448, 960, 8, 2, Activation::kSwiglu, false, 1.2}};
  std::vector<OperatorPoint> points;
  for (const Layer& layer : layers)
    for (int ranks = 1; ranks <= plan.ranks; ranks += std::max(1, plan.ranks - 1))
      points.push_back({.op = kLayerForwardBackward,
                        .is_bfloat16 = layer.is_bfloat16,
                        .sizes = {layer.tokens, layer.d_model, layer.d_ff, layer.experts,
                                  layer.choices, ranks, 1, ranks},
                        .activation = layer.activation,
                        .skew = layer.skew,
                        .transport = ranks > 1 ? plan.transport : Transport::kNone,
                        .ranks = ranks,
                        .threads = plan.threads,
                        .role = PointRole::kLayer});
  return points;
}

/// The i-th points of a family: two of five are measured on all ranks side by side as well.
std::vector<OperatorPoint> points_of(const PointFamily& family, int i, const MeasurePlan& plan) {
  std::vector<OperatorPoint> points{point_of(family, i, plan.threads)};
  const bool is_side_by_side = plan.ranks > 1 && plan.transport == Transport::kLoopback;
  if (!is_side_by_side || i % 5 > 1) return points;
  points.push_back(points.front());
  points.back().busy_ranks = plan.ranks;
  return points;
}

double rough_seconds(const std::vector<OperatorPoint>& points, const MeasurePlan& plan) {
  double seconds = 0.0;
  for (const OperatorPoint& point : points) seconds += rough_seconds(point, plan);
  return seconds;
}

}  // namespace

double rough_seconds(const OperatorPoint& point, const MeasurePlan& plan) {
  const RoughCost cost = rough_cost(point);
  const double once = cost.flop / plan.flop_per_s + cost.bytes / plan.bytes_per_s;
  constexpr double kRepeats =
      14.0;  // ten, those beside others' work, the first, and what inputs cost
  constexpr double kLeast = 0.05;
  const double weights = is_layer(point.op) ? 0.6 : 0.0;  // to draw them
  return 2.0 * (std::max(kRepeats * once, kLeast) + weights);
}

std::vector<OperatorPoint> choose_points(const MeasurePlan& plan) {
  std::vector<OperatorPoint> layers = layer_points(plan);
  while (layers.size() > 4 && rough_seconds(layers, plan) > 0.2 * plan.budget_s)
    layers.resize(layers.size() - 2);
  const bool has_others = plan.transport == Transport::kMpi;
  if (has_others) std::erase_if(layers, [&](const auto& p) { return p.ranks != plan.ranks; });
  std::vector<OperatorPoint> others;
  constexpr std::array kCollectives{kAllToAll, kAllReduce, kAllGather};
  if (plan.ranks > 1) others = collective_points(plan, kCollectives, 6.4e7, 16);
  others.insert(others.end(), layers.begin(), layers.end());
  if (has_others) return others;
  const PointChoice choice{
      .families = families(),
      .ahead = {{.op = kLaunch, .threads = plan.threads}},
      .points_of = [&](const PointFamily& family, int i) { return points_of(family, i, plan); },
      .seconds = [&](const OperatorPoint& point) { return rough_seconds(point, plan); }};
  return coarsest_first(choice, 0.9 * plan.budget_s - rough_seconds(others, plan), others);
}

}  // namespace switchyard::kernels
