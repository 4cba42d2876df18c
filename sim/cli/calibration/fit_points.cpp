#include "sim/cli/calibration/fit_points.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using Measurements = std::vector<CollectiveMeasurement>;

CollectiveMeasurement measurement(const CollectivePoint& point, const std::string& system,
                                  const std::string& software) {
  return {.system = system,
          .library = software + ", " + point.transport,
          .kind = point.kind,
          .ranks = point.ranks,
          .size = point.size,
          .time = point.time};
}

/// Each row between the first and the last predicted by a curve through the others.
std::vector<CollectiveRow> each_left_out(const Measurements& rows) {
  std::vector<CollectiveRow> result;
  for (std::size_t i = 1; i + 1 < rows.size(); ++i) {
    Measurements others = rows;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    result.push_back({.measured = rows[i],
                      .predicted = curve_time(fit_curve(others), rows[i].size),
                      .is_held_out = true});
  }
  return result;
}

void add_curve(const std::vector<CollectivePoint>& points, const std::string& name,
               const std::string& software, CollectiveFit& fit) {
  Measurements rows;
  for (const CollectivePoint& point : points)
    if (point.role == PointRole::kFit) rows.push_back(measurement(point, name, software));
  if (rows.empty()) return;
  const TimeCurve curve = fit_curve(rows);
  std::vector<CollectiveTimes>& kinds = fit.profile.collectives;
  if (kinds.empty() || kinds.back().kind != rows.front().kind)
    kinds.push_back({.kind = rows.front().kind, .curves = {}});
  kinds.back().curves.push_back(curve);
  for (const CollectivePoint& point : points)
    fit.rows.push_back({.measured = measurement(point, name, software),
                        .predicted = curve_time(curve, point.size),
                        .is_held_out = point.role != PointRole::kFit});
  std::ranges::move(each_left_out(rows), std::back_inserter(fit.each_held_out_once));
}

/// Above what any point reached: curves say how much slower a collective is than its links.
BytesPerSecond links_beyond(const std::vector<CollectivePoint>& points) {
  BytesPerSecond fastest;
  for (const CollectivePoint& p : points)
    fastest = std::max(fastest, port_bytes_per_byte(p.kind, p.ranks) * p.size / p.time);
  return 1.5 * fastest;
}

/// What left-out rows say of the band; 20 % at least where there are few.
double band_error(const CollectiveFit& fit, CollectiveKind kind, SizeBand band) {
  const HeldOutError error = held_out_error(fit.each_held_out_once, kind, band, true);
  constexpr double kLeast = 0.01;  // of a measurement
  const double p90 = error.rows > 2 ? error.p90 : std::max(error.largest, 0.2);
  return std::max(kLeast, std::round(1e4 * p90) / 1e4);  // as the profile has it
}

CollectiveFit fit_links(std::vector<CollectivePoint> points, const std::string& name,
                        const std::string& software) {
  CollectiveFit fit;
  fit.profile = {.name = name,
                 .library = software + ", " + points.front().transport,
                 .link_bandwidth = links_beyond(points),
                 .collectives = {}};
  const auto key = [](const CollectivePoint& p) { return std::tuple{p.kind, p.ranks}; };
  std::ranges::sort(points, {}, [&](const CollectivePoint& p) {
    return std::tuple{p.kind, p.ranks, p.size};
  });
  for (std::size_t first = 0; first < points.size();) {
    std::size_t last = first;
    while (last < points.size() && key(points[last]) == key(points[first])) ++last;
    add_curve({points.begin() + static_cast<std::ptrdiff_t>(first),
               points.begin() + static_cast<std::ptrdiff_t>(last)},
              name, software, fit);
    first = last;
  }
  for (CollectiveTimes& times : fit.profile.collectives) {
    for (std::size_t band = 0; band < kNumSizeBands; ++band)
      times.held_out_p90[band] = band_error(fit, times.kind, static_cast<SizeBand>(band));
    times.transfer_p90 = 0.5;  // of other numbers of ranks nothing is known
  }
  return fit;
}

/// Threads of a rank, where all points have as many; else predictions are of one.
int threads_of(const std::vector<KernelPoint>& points) {
  const auto threads = [](const KernelPoint& point) { return point.call.threads; };
  const bool is_same =
      std::ranges::adjacent_find(points, std::ranges::not_equal_to{}, threads) == points.end();
  return points.empty() || !is_same ? 1 : threads(points.front());
}

}  // namespace

ProductTiles tiles_of(const MeasuredDevice& device) {
  // As in kernels/cpu/isa_*.cpp: two vectors a row.
  if (device.backend == "cuda") {
    const auto or_of_h100 = [](int said, int h100) { return said > 0 ? said : h100; };
    return {.rows = or_of_h100(device.tile_rows, 128),
            .columns = or_of_h100(device.tile_columns, 128),
            .multiprocessors = or_of_h100(device.multiprocessors, 132)};
  }
  if (device.software.find("avx512") != std::string::npos) return {.rows = 12, .columns = 32};
  if (device.software.find("avx2") != std::string::npos) return {.rows = 6, .columns = 16};
  return {.rows = 6, .columns = 8};
}

Calibration calibrate_points(const MeasuredPoints& points, const std::string& name,
                             const FitOptions& options) {
  Calibration result;
  KernelProfile& profile = result.profile;
  profile.name = name;
  profile.measured = points.device;
  profile.tiles = tiles_of(points.device);
  profile.threads = threads_of(points.kernels);
  profile.models = fit_kernels(points.kernels, profile.tiles, options);
  std::map<std::string, std::vector<CollectivePoint>> transports;
  for (const CollectivePoint& point : points.collectives)
    transports[point.transport].push_back(point);
  for (const auto& [transport, of_transport] : transports) {
    CollectiveFit fit = fit_links(of_transport, name, points.device.software);
    if (!fit.profile.collectives.empty()) result.links[transport] = std::move(fit);
  }
  const bool is_links_alone = points.kernels.empty() && !result.links.empty();
  if (profile.models.empty() && !is_links_alone)
    throw ConfigError(
        "the points have no kernel of role fit, so nothing can be fitted: measure for longer "
        "(calibrate "
        "--budget 3min; the same command goes on with what it has)");
  return result;
}

void name_sources(const std::map<std::string, std::string>& sources, Calibration& calibration) {
  calibration.sources = sources;
  for (KernelModel& model : calibration.profile.models) {
    const auto source = sources.find(std::string{kernel_name(model.kind)});
    if (source != sources.end()) model.source = source->second;
  }
}

}  // namespace switchyard
