#include "kernels/measure/point_family.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace switchyard::kernels {
namespace {

constexpr int kEnds = 2;
constexpr int kFirst = 6;  // points that each family has, however short the budget

/// The first kFirst of each family are the same, and first, at any density.
std::vector<OperatorPoint> points_at(const PointChoice& choice, double density) {
  const auto count_of = [&](const PointFamily& family) {
    return std::max(kFirst, static_cast<int>(std::lround(family.weight * density)));
  };
  int most = 0;
  for (const PointFamily& family : choice.families) most = std::max(most, count_of(family));
  std::vector<OperatorPoint> points = choice.ahead;
  std::set<std::string> keys;  // sizes are rounded: two points may be one
  for (int i = 0; i < most; ++i)
    for (const PointFamily& family : choice.families) {
      if (i >= count_of(family)) continue;
      for (const OperatorPoint& point : choice.points_of(family, i))
        if (keys.insert(point_key(point)).second) points.push_back(point);
    }
  return points;
}

}  // namespace

PointRole role_of(int i) {
  return i >= kEnds && i % 3 == 2 ? PointRole::kHeldOut : PointRole::kFit;
}

std::vector<std::int64_t> sizes_of(const PointFamily& family, int i, double shrink) {
  std::vector<std::int64_t> sizes;
  for (std::size_t d = 0; d < family.ranges.size(); ++d)
    sizes.push_back(
        spread_size(family.ranges[d], shrink * spread_share(i, d, family.ranges.size())));
  return sizes;
}

void skew_some(OperatorPoint& point, int i) {
  if (!is_grouped(point.op) || i < kEnds || (i % 8) / 2 != 1) return;
  const double exponent = role_of(i) == PointRole::kHeldOut ? 1.2 : 0.6;
  point.loads = loads_by_popularity(point.sizes[0], point.sizes[3], exponent);
}

std::vector<OperatorPoint> collective_points(const MeasurePlan& plan,
                                             std::span<const MeasuredOperator> ops,
                                             double most_bytes, int count) {
  std::vector<OperatorPoint> points;
  for (const MeasuredOperator op : ops)
    for (int i = 0; i < count; ++i)
      points.push_back(
          {.op = op,
           .sizes = {spread_size({1e3, most_bytes, 64 * plan.ranks}, spread_share(i, 0, 1))},
           .transport = plan.transport,
           .ranks = plan.ranks,
           .threads = plan.threads,
           .role = role_of(i)});
  return points;
}

std::vector<OperatorPoint> coarsest_first(const PointChoice& choice, double seconds,
                                          const std::vector<OperatorPoint>& others) {
  std::vector<OperatorPoint> points = points_at(choice, 0.0);
  const auto num_first = static_cast<std::ptrdiff_t>(points.size());
  for (double density = 1.0; density <= choice.most_density; density += 1.0) {
    std::vector<OperatorPoint> more = points_at(choice, density);
    double sum = 0.0;
    for (const OperatorPoint& point : more) sum += choice.seconds(point);
    if (sum > seconds) break;
    points = std::move(more);
  }
  points.insert(points.begin() + num_first, others.begin(), others.end());
  return points;
}

}  // namespace switchyard::kernels
