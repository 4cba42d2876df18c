#include "cost_models/calibration/kernel_profile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/core/error.hpp"
#include "sim/core/quantile.hpp"

namespace switchyard {
namespace {

constexpr double kNoError = 0.5;     ///< weight of an error of 0 among those of neighbours
constexpr double kPerOctave = 0.15;  ///< by which an interval grows outside what was measured

/// coordinates() and the sizes of the work.
std::vector<double> place_of(const KernelCall& call) {
  std::vector<double> place = coordinates(call);
  const KernelWork work = plain_work(call);
  place.push_back(std::log2(1.0 + work.flop.base()));
  place.push_back(std::log2(1.0 + work.traffic.base() + work.weights.base()));
  return place;
}

/// Octaves, over all coordinates, that a place is outside the box of the points.
double octaves_outside(const KernelModel& model, const std::vector<double>& place, int skipped) {
  double outside = 0;
  for (std::size_t d = 0; d < place.size(); ++d) {
    double lowest = std::numeric_limits<double>::infinity();
    double highest = -lowest;
    for (std::size_t i = 0; i < model.placed.size(); ++i) {
      if (static_cast<int>(i) == skipped) continue;
      lowest = std::min(lowest, model.placed[i].coordinates[d]);
      highest = std::max(highest, model.placed[i].coordinates[d]);
    }
    outside += std::max({0.0, lowest - place[d], place[d] - highest});
  }
  return outside;
}

/// Mean logarithmic error of the neighbours: how much longer they took than the form says.
double local_error(const KernelModel& model, const std::vector<double>& place, int skipped) {
  if (model.reach == 0) return 0;
  const std::size_t num_shape = place.size() - 2;  // operations and bytes follow from the rest
  double sum = 0;
  double weights = kNoError;
  for (std::size_t i = 0; i < model.placed.size(); ++i) {
    if (static_cast<int>(i) == skipped) continue;
    const PlacedPoint& point = model.placed[i];
    double squared = 0;
    for (std::size_t d = 0; d < num_shape; ++d)
      squared += (place[d] - point.coordinates[d]) * (place[d] - point.coordinates[d]);
    const double weight = std::exp(-squared / (model.reach * model.reach));
    sum += weight * point.error;
    weights += weight;
  }
  return sum / weights;
}

}  // namespace

KernelErrors summarize_errors(std::vector<double> errors) {
  for (double& error : errors) error = std::abs(error);
  if (errors.empty()) return {};
  return {.points = static_cast<int>(errors.size()),
          .median = quantile(errors, 0.5),
          .p90 = quantile(errors, 0.9),
          .largest = std::ranges::max(errors)};
}

const KernelModel* find_model(const KernelProfile& profile, const KernelCall& call) {
  const auto found = std::ranges::find_if(profile.models, [&](const KernelModel& model) {
    return model.kind == call.kind && model.variant == call.variant;
  });
  return found == profile.models.end() ? nullptr : &*found;
}

Seconds form_time(const KernelModel& model, const KernelCall& call, const ProductTiles& tiles) {
  return kernel_time(kernel_work(call, tiles), call.busy_ranks * call.threads - 1, model.constants);
}

void place_points(KernelModel& model, const ProductTiles& tiles) {
  model.placed.clear();
  std::vector<double> sizes;
  for (const KernelPoint& point : model.points) {
    const double error = std::log(point.time / form_time(model, point.call, tiles));
    model.placed.push_back({.coordinates = place_of(point.call), .error = error});
    sizes.push_back(std::abs(error));
  }
  if (sizes.empty()) return;
  // One point that was disturbed must not mislead its neighbours.
  constexpr double kMostOfMedian = 2.5;
  const double most = kMostOfMedian * quantile(sizes, 0.5);
  for (PlacedPoint& point : model.placed) point.error = std::clamp(point.error, -most, most);
}

KernelPrediction predict_kernel(const KernelModel& model, const KernelCall& call,
                                const ProductTiles& tiles, int skipped) {
  SWITCHYARD_CHECK(model.placed.size() == model.points.size(), "{} of {} points placed",
                   model.placed.size(), model.points.size());
  for (std::size_t i = 0; i < model.points.size(); ++i) {
    const KernelPoint& point = model.points[i];
    if (static_cast<int>(i) != skipped && point.call == call)
      return {.time = point.time,
              .provenance = Provenance::kMeasured,
              .low = std::min(point.p10, point.time),
              .high = std::max(point.p90, point.time)};
  }
  KernelPrediction prediction{.time = form_time(model, call, tiles), .low = {}, .high = {}};
  const std::vector<double> place = place_of(call);
  const double outside = octaves_outside(model, place, skipped);
  if (outside > 0)
    prediction.provenance = Provenance::kExtrapolated;
  else
    prediction.time = std::exp(local_error(model, place, skipped)) * prediction.time;
  // Residuals are of points left out of the fit: what other points would have given is in them.
  const double half = outside > 0
                          ? std::hypot(model.residual, model.parameters) + kPerOctave * outside
                          : model.residual;
  prediction.low = std::exp(-half) * prediction.time;
  prediction.high = std::exp(half) * prediction.time;
  return prediction;
}

}  // namespace switchyard
