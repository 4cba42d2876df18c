#include "sim/planner/fit_collectives.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kSecondMode = 1.25;
constexpr double kKnotTolerance = 0.02;
constexpr std::size_t kHoldOutEvery = 3;

using Rows = std::span<const CollectiveMeasurement>;

Seconds four_digits(Seconds time) {
  const double scale = std::pow(10.0, 3 - std::floor(std::log10(time.base())));
  return Seconds{std::round(time.base() * scale) / scale};
}

/// Times that never descend: pools of neighbours that do take their geometric mean.
std::vector<Seconds> monotone_times(Rows rows) {
  struct Pool {
    double log_time;
    int size;
  };
  std::vector<Pool> pools;
  for (const CollectiveMeasurement& row : rows) {
    pools.push_back({std::log(row.time.base()), 1});
    while (pools.size() > 1 && pools[pools.size() - 2].log_time > pools.back().log_time) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& before = pools.back();
      before.log_time =
          (before.size * before.log_time + last.size * last.log_time) / (before.size + last.size);
      before.size += last.size;
    }
  }
  std::vector<Seconds> times;
  for (const Pool& pool : pools)
    times.insert(times.end(), static_cast<std::size_t>(pool.size),
                 Seconds{std::exp(pool.log_time)});
  return times;
}

/// Marks the knots between `first` and `last` without which the line is too far off.
/// Source: Douglas, Peucker, Cartographica 10(2), 1973.
void mark_knots(const TimeCurve& all, std::size_t first, std::size_t last,
                std::vector<bool>& is_knot) {
  const TimeCurve line{.ranks = all.ranks,
                       .sizes = {all.sizes[first], all.sizes[last]},
                       .times = {all.times[first], all.times[last]}};
  double worst = kKnotTolerance;
  std::size_t split = first;
  for (std::size_t i = first + 1; i < last; ++i) {
    const double error = std::abs(curve_time(line, all.sizes[i]) / all.times[i] - 1.0);
    if (error > worst) {
      worst = error;
      split = i;
    }
  }
  if (split == first) return;
  is_knot[split] = true;
  mark_knots(all, first, split, is_knot);
  mark_knots(all, split, last, is_knot);
}

auto curve_key(const CollectiveMeasurement& row) { return std::tuple{row.kind, row.ranks}; }

/// Calls `use(rows of one curve)` for each curve of sorted rows.
template <class Use>
void for_each_curve(Rows rows, Use&& use) {
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    while (last < rows.size() && curve_key(rows[last]) == curve_key(rows[first])) ++last;
    use(rows.subspan(first, last - first));
    first = last;
  }
}

/// The curve of one phase, and each row of the curve beside it.
std::pair<TimeCurve, std::vector<CollectiveRow>> fit_phase(Rows rows, std::size_t phase) {
  const std::vector<bool> is_second_mode = second_mode_rows(rows);
  std::vector<CollectiveMeasurement> seen;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (i % kHoldOutEvery != phase && !is_second_mode[i]) seen.push_back(rows[i]);
  std::pair<TimeCurve, std::vector<CollectiveRow>> result{fit_curve(seen), {}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    result.second.push_back({.measured = rows[i],
                             .predicted = curve_time(result.first, rows[i].size),
                             .is_held_out = i % kHoldOutEvery == phase,
                             .is_second_mode = is_second_mode[i]});
  return result;
}

void check(Rows rows) {
  SWITCHYARD_CHECK(!rows.empty(), "nothing to fit to");
  for (const CollectiveMeasurement& row : rows) {
    SWITCHYARD_CHECK(row.system == rows[0].system && row.library == rows[0].library,
                     "{} {} beside {} {}", row.system, row.library, rows[0].system,
                     rows[0].library);
    SWITCHYARD_CHECK(row.time > Seconds{} && row.size > Bytes{} && row.ranks >= 2,
                     "{} ranks, {} B, {} s", row.ranks, row.size.base(), row.time.base());
  }
}

}  // namespace

std::vector<bool> second_mode_rows(std::span<const CollectiveMeasurement> rows) {
  std::vector<bool> is_second_mode(rows.size(), false);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t larger = i + 1; larger < rows.size(); ++larger)
      if (rows[i].time > kSecondMode * rows[larger].time) is_second_mode[i] = true;
  return is_second_mode;
}

TimeCurve fit_curve(std::span<const CollectiveMeasurement> rows) {
  SWITCHYARD_CHECK(!rows.empty(), "no rows");
  TimeCurve all{.ranks = rows[0].ranks, .sizes = {}, .times = monotone_times(rows)};
  for (const CollectiveMeasurement& row : rows) all.sizes.push_back(row.size);
  std::vector<bool> is_knot(rows.size(), false);
  is_knot.front() = is_knot.back() = true;
  mark_knots(all, 0, rows.size() - 1, is_knot);

  TimeCurve curve{.ranks = all.ranks, .sizes = {}, .times = {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_knot[i]) continue;
    curve.sizes.push_back(all.sizes[i]);
    curve.times.push_back(four_digits(all.times[i]));
  }
  return curve;
}

CollectiveFit fit_collectives(std::vector<CollectiveMeasurement> measured,
                              BytesPerSecond link_bandwidth, int held_out_phase) {
  check(measured);
  SWITCHYARD_CHECK(held_out_phase >= 0 && held_out_phase < 3, "phase {}", held_out_phase);
  std::ranges::sort(measured, {}, [](const CollectiveMeasurement& row) {
    return std::tuple{row.kind, row.ranks, row.size};
  });
  CollectiveFit fit;
  fit.profile.name = measured[0].system;
  fit.profile.library = measured[0].library;
  fit.profile.link_bandwidth = link_bandwidth;
  for_each_curve(measured, [&](Rows rows) {
    for (std::size_t phase = 0; phase < kHoldOutEvery; ++phase) {
      auto [curve, compared] = fit_phase(rows, phase);
      std::ranges::copy_if(compared, std::back_inserter(fit.each_held_out_once),
                           &CollectiveRow::is_held_out);
      if (static_cast<int>(phase) != held_out_phase) continue;
      std::ranges::copy(compared, std::back_inserter(fit.rows));
      std::vector<CollectiveTimes>& kinds = fit.profile.collectives;
      if (kinds.empty() || kinds.back().kind != rows[0].kind)
        kinds.push_back({.kind = rows[0].kind, .curves = {}});
      kinds.back().curves.push_back(std::move(curve));
    }
  });
  const std::vector<CollectiveRow> transferred = transfer_to_fewer_ranks(fit);
  for (CollectiveTimes& times : fit.profile.collectives) {
    for (std::size_t band = 0; band < kNumSizeBands; ++band)
      times.held_out_p90[band] =
          held_out_error(fit.each_held_out_once, times.kind, static_cast<SizeBand>(band), false)
              .p90;
    std::vector<double> errors;
    for (const CollectiveRow& row : transferred)
      if (row.measured.kind == times.kind && !row.is_second_mode) errors.push_back(row.error());
    times.transfer_p90 = summarize(errors).p90;
  }
  return fit;
}

std::vector<CollectiveRow> transfer_to_fewer_ranks(const CollectiveFit& fit) {
  CollectiveProfile most_ranks = fit.profile;
  for (CollectiveTimes& times : most_ranks.collectives)
    times.curves.erase(times.curves.begin(), times.curves.end() - 1);
  std::vector<CollectiveRow> transferred;
  for (CollectiveRow row : fit.rows) {
    const auto& [system, library, kind, ranks, size, time] = row.measured;
    if (find_times(most_ranks, kind)->curves.back().ranks == ranks) continue;
    const Seconds ideal = port_bytes_per_byte(kind, ranks) * size / fit.profile.link_bandwidth;
    const TransportCost cost = transport_cost(most_ranks, kind, ranks, size, ideal);
    row.predicted = cost.startup + cost.byte_inflation * ideal;
    row.is_held_out = true;
    transferred.push_back(row);
  }
  return transferred;
}

HeldOutError held_out_error(std::span<const CollectiveRow> rows, CollectiveKind kind, SizeBand band,
                            bool with_second_mode) {
  std::vector<double> errors;
  for (const CollectiveRow& row : rows)
    if (row.is_held_out && row.measured.kind == kind && size_band(row.measured.size) == band &&
        (with_second_mode || !row.is_second_mode))
      errors.push_back(row.error());
  return summarize(errors);
}

}  // namespace switchyard
