#include "cost_models/calibration/fit_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "cost_models/calibration/kernel_form.hpp"
#include "cost_models/calibration/kernel_kin.hpp"
#include "sim/core/error.hpp"
#include "sim/core/quantile.hpp"
#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using K = KernelConstant;

constexpr std::array kReaches{0.0, 0.5, 1.0, 2.0};

std::size_t index(K constant) { return static_cast<std::size_t>(constant); }

auto sort_key(const KernelPoint& point) {
  const KernelCall& c = point.call;
  return std::tuple{c.kind,    c.element_bytes, c.variant, c.busy_ranks,
                    c.threads, c.sizes,         c.loads,   point.time.base()};
}

/// The double next to the decimal number: powers of ten below 1 would add noise to it.
double four_digits(double value) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  return std::strtod(fmt::format("{:.3e}", value).c_str(), nullptr);
}

std::vector<std::size_t> all_places(std::size_t count) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

/// Ranges of the constants, and what they make of the points' times.
void bootstrap(const KernelForm& form, const std::vector<double>& fitted, const FitOptions& options,
               std::uint64_t stream, KernelModel& model) {
  const std::size_t count = model.points.size();
  const std::vector<std::size_t> all = all_places(count);
  const Eigen::VectorXd center = form.errors(model.constants, all);
  std::map<std::size_t, std::vector<double>> values;
  std::vector<double> shifts;
  for (int draw = 0; draw < options.bootstraps; ++draw) {
    auto rng = stream_engine(options.seed, {stream, static_cast<std::uint64_t>(draw)});
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < count; ++i) places.push_back(uniform_below(count, rng));
    const KernelConstants c = form.constants(form.fit(form.starts_at(fitted), places).parameters);
    for (const ConstantRange& range : form.ranges())
      values[index(range.constant)].push_back(c[index(range.constant)]);
    const Eigen::VectorXd moved = form.errors(c, all) - center;
    for (const double shift : moved) shifts.push_back(std::abs(shift));
  }
  model.lowest = model.highest = model.constants;
  for (const auto& [constant, drawn] : values) {
    model.lowest[constant] =
        std::min(model.constants[constant], four_digits(quantile(drawn, 0.05)));
    model.highest[constant] =
        std::max(model.constants[constant], four_digits(quantile(drawn, 0.95)));
  }
  if (!shifts.empty()) model.parameters = four_digits(quantile(shifts, 0.9));
}

/// The least value that at least 90 % of one more draw would be within.
double conformal_p90(std::vector<double> sizes) {
  std::ranges::sort(sizes);
  const auto place = static_cast<std::size_t>(std::ceil(0.9 * (sizes.size() + 1.0)));
  return sizes[std::min(place, sizes.size()) - 1];
}

/// Each point predicted without it, by each reach; keeps the best.
void leave_each_out(const KernelForm& form, const std::vector<double>& fitted,
                    const ProductTiles& tiles, KernelModel& model) {
  const std::size_t count = model.points.size();
  if (count < 3) {
    model.residual = 0.3;  // nothing is known; wide
    return;
  }
  std::array<std::vector<double>, kReaches.size()> errors;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> places = all_places(count);
    places.erase(places.begin() + static_cast<std::ptrdiff_t>(i));
    KernelModel without = model;
    without.constants = form.constants(form.fit(form.starts_at(fitted), places).parameters);
    place_points(without, tiles);
    for (std::size_t r = 0; r < kReaches.size(); ++r) {
      without.reach = kReaches[r];
      const KernelPrediction p =
          predict_kernel(without, model.points[i].call, tiles, static_cast<int>(i));
      errors[r].push_back(std::abs(std::log(p.time / model.points[i].time)));
    }
  }
  std::size_t best = 0;
  const auto mean = [&](std::size_t r) {
    return std::accumulate(errors[r].begin(), errors[r].end(), 0.0);
  };
  for (std::size_t r = 1; r < kReaches.size(); ++r)
    if (mean(r) < 0.97 * mean(best)) best = r;
  model.reach = kReaches[best];
  model.residual = four_digits(conformal_p90(errors[best]));
}

Points fit_points(const Points& points) {
  Points fit;
  std::ranges::copy_if(points, std::back_inserter(fit),
                       [](const KernelPoint* p) { return p->role == PointRole::kFit; });
  return fit;
}

KernelModel fit_model(const Points& points, const ProductTiles& tiles,
                      const std::vector<ConstantRange>& near, const FitOptions& options) {
  const KernelCall& first = points.front()->call;
  KernelModel model;
  model.kind = first.kind;
  model.variant = first.variant;
  const Points fit = fit_points(points);
  for (const KernelPoint* point : fit) model.points.push_back(*point);
  const KernelForm form{fit, tiles, near};
  std::vector<double> fitted = form.best_fit(all_places(fit.size()));
  for (double& value : fitted) value = four_digits(value);
  model.constants = form.constants(fitted);
  place_points(model, tiles);
  leave_each_out(form, fitted, tiles, model);
  auto stream = static_cast<std::uint64_t>(first.kind);
  for (const char c : first.variant) stream = 31 * stream + static_cast<unsigned char>(c);
  bootstrap(form, fitted, options, stream, model);

  std::vector<double> differences;
  std::vector<double> errors;
  for (const KernelPoint* point : points) {
    if (point->pass_ratio > 1) differences.push_back(point->pass_ratio - 1.0);
    if (point->role == PointRole::kHeldOut)
      errors.push_back(predict_kernel(model, point->call, tiles).time / point->time - 1.0);
  }
  if (!differences.empty()) model.noise = four_digits(quantile(differences, 0.5));
  model.held_out = summarize_errors(std::move(errors));
  return model;
}

}  // namespace

std::vector<KernelModel> fit_kernels(std::span<const KernelPoint> points, const ProductTiles& tiles,
                                     const FitOptions& options) {
  std::map<std::pair<KernelKind, std::string>, Points> groups;
  for (const KernelPoint& point : points) {
    SWITCHYARD_CHECK(point.time > Seconds{}, "{}: {} s", shape_text(point.call), point.time.base());
    groups[{point.call.kind, point.call.variant}].push_back(&point);
  }
  std::vector<KernelModel> models;
  std::map<KernelKin, std::vector<Points>> kins;
  for (auto& [key, group] : groups) {
    std::ranges::sort(group, {}, [](const KernelPoint* point) { return sort_key(*point); });
    const Points fit = fit_points(group);
    if (!fit.empty()) kins[kin_of(key.first)].push_back(fit);
  }
  std::vector<ConstantRange> machine;  // copies come before what they say something of
  std::map<KernelKin, std::vector<ConstantRange>> near;
  for (const auto& [key, group] : groups) {
    if (fit_points(group).empty()) continue;
    const KernelKin kin = kin_of(key.first);
    if (kin != KernelKin::kNone && !near.contains(kin))
      near[kin] = near_kin(kins[kin], tiles, machine);
    const auto& known = kin == KernelKin::kNone ? machine : near[kin];
    models.push_back(fit_model(group, tiles, known, options));
    if (key.first == KernelKind::kCopy) machine = near_copies(models.back().constants);
  }
  return models;
}

}  // namespace switchyard
