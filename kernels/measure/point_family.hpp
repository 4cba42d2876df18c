#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/measure/choose_points.hpp"
#include "kernels/measure/spread_sizes.hpp"

namespace switchyard::kernels {

/// Points of one operator: the ranges of its sizes in their order, and what makes a point of them.
struct PointFamily {
  MeasuredOperator op;
  std::vector<SpreadRange> ranges;
  double weight = 1.0;  ///< points relative to other families
  Activation activation = Activation::kRelu;
  bool has_bfloat16 = true;
};

/// Every third is held out, but for the first two, the ends.
[[nodiscard]] PointRole role_of(int i);

/// The sizes of the i-th point: 0 has the smallest, 1 the largest, both `shrink` of the way from
/// the lowest ends of the ranges.
[[nodiscard]] std::vector<std::int64_t> sizes_of(const PointFamily& family, int i, double shrink);

/// Gives every fourth grouped product skewed loads: a mild exponent (0.6) where it is fitted to, a
/// severe one (1.2) where it is held out. Others stay as they are.
void skew_some(OperatorPoint& point, int i);

/// Collectives of all ranks, evenly from 1 kB to `most_bytes` in the logarithm.
[[nodiscard]] std::vector<OperatorPoint> collective_points(const MeasurePlan& plan,
                                                           std::span<const MeasuredOperator> ops,
                                                           double most_bytes, int count);

/// What a plan's backend has to say of its points.
struct PointChoice {
  std::vector<PointFamily> families;
  std::vector<OperatorPoint> ahead;  ///< of no family: they come first
  std::function<std::vector<OperatorPoint>(const PointFamily&, int)> points_of;  ///< its i-th
  std::function<double(const OperatorPoint&)> seconds;  ///< of both passes, roughly
  double most_density = 200.0;                          ///< points of a family of weight 1
};

/// As many points of each family as `seconds` allow, but a few at least: these, then `others`, then
/// the finer ones, so that a run that ends early lacks the finest. No point comes twice.
[[nodiscard]] std::vector<OperatorPoint> coarsest_first(const PointChoice& choice, double seconds,
                                                        const std::vector<OperatorPoint>& others);

}  // namespace switchyard::kernels
