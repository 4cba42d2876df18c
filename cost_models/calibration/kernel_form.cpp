#include "cost_models/calibration/kernel_form.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace switchyard {
namespace {

using K = KernelConstant;

std::size_t index(K constant) { return static_cast<std::size_t>(constant); }

int other_cores(const KernelCall& call) { return call.busy_ranks * call.threads - 1; }

bool is_time(K constant) {
  return constant == K::kLaunch || constant == K::kItem || constant == K::kGroup;
}

/// What a constant multiplies or divides, scaled so that a start leaves something to the others.
double scaled_count(const KernelWork& work, K constant) {
  switch (constant) {
    case K::kLaunch:
      return 2.0;
    case K::kRate:
      return 1.2 * work.flop.base();
    case K::kCacheBandwidth:
      return 1.5 * work.traffic.base();
    case K::kLastLevelBandwidth:
      return 0.8 * work.traffic.base();
    case K::kMemoryBandwidth:
      return 0.5 * work.traffic.base();
    case K::kWeightBandwidth:
      return 1.5 * work.weights.base();
    case K::kItem:
      return 4.0 * work.items;
    case K::kGroup:
      return 4.0 * work.groups;
    default:
      return 0.0;
  }
}

}  // namespace

KernelForm::KernelForm(const Points& points, const ProductTiles& tiles,
                       const std::vector<ConstantRange>& near)
    : points_{points}, near_{near} {
  for (const KernelPoint* point : points) work_.push_back(kernel_work(point->call, tiles));
  for (const ConstantRange& range : constant_ranges(points.front()->call.kind))
    if (can_tell(range.constant)) ranges_.push_back(data_start(range));
}

KernelConstants KernelForm::constants(const std::vector<double>& values) const {
  KernelConstants all = neutral_constants();
  for (std::size_t j = 0; j < ranges_.size(); ++j) all[index(ranges_[j].constant)] = values[j];
  return all;
}

Eigen::VectorXd KernelForm::errors(const KernelConstants& c,
                                   const std::vector<std::size_t>& places) const {
  Eigen::VectorXd all(static_cast<Eigen::Index>(places.size()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const KernelPoint& point = *points_[places[i]];
    const Seconds time = kernel_time(work_[places[i]], other_cores(point.call), c);
    all[static_cast<Eigen::Index>(i)] = std::log(time / point.time);
  }
  return all;
}

LeastSquaresResult KernelForm::fit(const std::vector<FitRange>& starts,
                                   const std::vector<std::size_t>& places) const {
  return least_squares([&](const std::vector<double>& x) { return errors(constants(x), places); },
                       starts);
}

std::vector<double> KernelForm::best_fit(const std::vector<std::size_t>& places) const {
  LeastSquaresResult best{.parameters = {}, .cost = std::numeric_limits<double>::infinity()};
  for (const double combination : {1.2, 4.0})
    for (const double times : {1.0, 0.1}) {
      const double rates = times < 1.0 ? 0.7 : 1.0;
      LeastSquaresResult found = fit(starts_of(times, rates, combination), places);
      if (found.cost < best.cost) best = std::move(found);
    }
  return best.parameters;
}

std::vector<FitRange> KernelForm::starts_at(const std::vector<double>& values) const {
  std::vector<FitRange> starts;
  for (std::size_t j = 0; j < values.size(); ++j)
    starts.push_back({std::clamp(values[j], ranges_[j].lowest, ranges_[j].highest),
                      ranges_[j].lowest, ranges_[j].highest, ranges_[j].start_factor});
  return starts;
}

/// Whether it is known elsewhere, or the points differ in what the constant stands for, or have any
/// of it.
bool KernelForm::can_tell(K constant) const {
  if (near(constant) != nullptr) return true;
  // Products on GPUs have no tasks.
  if (constant == K::kItem || constant == K::kGroup)
    return std::ranges::any_of(
        work_, [=](const KernelWork& work) { return scaled_count(work, constant) > 0; });
  if (constant == K::kSharedCompute || constant == K::kSharedMemory)
    return std::ranges::any_of(points_, [](const auto* p) { return other_cores(p->call) > 0; });
  if (constant == K::kNarrow)
    return std::ranges::adjacent_find(points_, std::not_equal_to{}, [](const auto* p) {
             return p->call.element_bytes;
           }) != points_.end();
  return true;
}

const ConstantRange* KernelForm::near(K constant) const {
  const auto found = std::ranges::find(near_, constant, &ConstantRange::constant);
  return found == near_.end() ? nullptr : &*found;
}

ConstantRange KernelForm::data_start(ConstantRange range) const {
  if (const ConstantRange* known = near(range.constant)) return *known;
  double fastest = 0;
  for (std::size_t i = 0; i < points_.size(); ++i)
    fastest = std::max(fastest, scaled_count(work_[i], range.constant) / points_[i]->time.base());
  if (fastest > 0)
    range.start =
        std::clamp(is_time(range.constant) ? 1.0 / fastest : fastest, range.lowest, range.highest);
  return range;
}

std::vector<FitRange> KernelForm::starts_of(double times, double rates, double combination) const {
  std::vector<FitRange> starts;
  for (const auto& [constant, start, lowest, highest, factor] : ranges_) {
    double moved = start;
    if (near(constant) == nullptr) {
      if (is_time(constant)) moved *= times;
      if (constant == K::kRate || constant == K::kCacheBandwidth) moved *= rates;
      if (constant == K::kCombination) moved = combination;
    }
    starts.push_back({std::clamp(moved, lowest, highest), lowest, highest, factor});
  }
  return starts;
}

}  // namespace switchyard
