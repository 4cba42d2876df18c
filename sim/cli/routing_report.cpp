#include "sim/cli/routing_report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kWidth = 100;
constexpr int kMixtralLayers = 32;

TableColumn left(const char* heading) {
  return {.heading = heading, .alignment = Alignment::kLeft};
}

std::string percent(double fraction) { return fmt::format("{:.1f}", 100 * fraction); }

/// In points of a percent; no "-0.00".
std::string points(double difference) {
  return fmt::format("{:+.2f}", std::round(1e4 * difference) / 100 + 0.0);
}

/// What one pair of tilts per layer gives for the layer of `row`.
const ChoiceRepeats& of_all(const LocalityFit& fit, const LocalityRow& row) {
  const auto all = std::ranges::find_if(fit.all, [&](const LocalityRow& other) {
    return other.measured.layer == row.measured.layer;
  });
  SWITCHYARD_CHECK(all != fit.all.end(), "no fit of layer {}", row.measured.layer);
  return all->fitted;
}

/// Errors in points of a set of cells.
class Errors {
 public:
  void add(double difference) {
    largest_ = std::max(largest_, std::abs(difference));
    sum_of_squares_ += difference * difference;
    ++count_;
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("root mean square {:.2f}, largest {:.2f} points",
                       100 * std::sqrt(sum_of_squares_ / count_), 100 * largest_);
  }

 private:
  double largest_ = 0;
  double sum_of_squares_ = 0;
  int count_ = 0;
};

std::string locality_table(const LocalityFit& fit) {
  TextTable table{.columns = {left("data set, layer")}, .rows = {}};
  const std::string one_pair_heading = fmt::format("{} tilts:\nerror", 2 * fit.all.size());
  for (const char* what : {"first\nrepeats %", "either\nrepeats %"})
    for (const char* heading : {what, "fitted", "error", one_pair_heading.c_str()})
      table.columns.push_back({.heading = heading});
  for (const char* heading : {"tilt of\nfirst", "tilt of\nsecond"})
    table.columns.push_back({.heading = heading});
  Errors fitted;
  Errors one_pair;
  const auto add_row = [&](const LocalityRow& row) {
    const ChoiceRepeats& all = of_all(fit, row);
    std::vector<std::string> cells{fmt::format("{} {}", row.measured.dataset, row.measured.layer)};
    for (const auto member : {&ChoiceRepeats::first, &ChoiceRepeats::first_or_second}) {
      const double published = row.measured.repeats.*member;
      const double error = row.fitted.*member - published;
      const double error_of_all = all.*member - published;
      cells.insert(cells.end(), {percent(published), percent(row.fitted.*member), points(error),
                                 points(error_of_all)});
      if (row.measured.dataset == "all") continue;
      fitted.add(error);
      one_pair.add(error_of_all);
    }
    cells.push_back(fmt::format("{:+.2f}", row.first_tilt));
    cells.push_back(fmt::format("{:+.2f}", row.second_tilt));
    table.rows.push_back(std::move(cells));
  };
  for (const LocalityRow& row : fit.rows) add_row(row);
  for (const LocalityRow& row : fit.all) add_row(row);
  const std::size_t rows = fit.rows.size();
  return fmt::format(
      "Repeated choices, {} experts, top-2: a chain with log-normal popularity (sigma {:.3f}) and "
      "two\ntilts, exact, errors in points. Two tilts to two numbers: reproduction, no "
      "evidence.\neither: at least one of two choices is one of the token before's two.\n\n"
      "{}\n  {} tilts for {} cells:  {}\n  {} tilts for {} cells:   {}\n",
      fit.num_experts, fit.popularity_sigma, format(table, kWidth), 2 * rows, 2 * rows,
      fitted.text(), 2 * fit.all.size(), 2 * rows, one_pair.text());
}

std::string sigma_table(const RoutingCalibration& calibration) {
  TextTable table{
      .columns = {left("router"), left("balancing"), left("published"), {.heading = "sigma"}},
      .rows = {}};
  std::vector<std::string> kinds;
  for (const SigmaEstimate& estimate : calibration.sigmas) {
    table.rows.push_back(
        {estimate.model, estimate.balancing, estimate.from, fmt::format("{:.3f}", estimate.sigma)});
    if (std::ranges::find(kinds, estimate.balancing) == kinds.end())
      kinds.push_back(estimate.balancing);
  }
  std::string text =
      "\nSigma of a log-normal popularity with the published loads in expectation:\n\n" +
      format(table, kWidth) + "\n";
  for (const std::string& kind : kinds) {
    std::vector<double> sigmas;
    for (const SigmaEstimate& estimate : calibration.sigmas)
      if (estimate.balancing == kind) sigmas.push_back(estimate.sigma);
    const auto [least, most] = std::ranges::minmax(sigmas);
    text += fmt::format("  {}: geometric mean {:.3f} ({:.3f} to {:.3f})\n", kind,
                        combined_sigma(sigmas), least, most);
  }
  const PublishedLoads& loads = calibration.loads;
  const double sigma = calibration.locality.popularity_sigma;
  text += fmt::format(
      "  not fitted: {:.0f} % of the shares between {} and {} at sigma {:.3f}, where \"typical\" "
      "ones "
      "lie\n  These data cannot tell a log-normal popularity from another.\n",
      100 * expected_share_of_loads(sigma, loads.range, loads.typical_low, loads.typical_high),
      loads.typical_low, loads.typical_high, sigma);
  return text;
}

std::string cache_table(const RoutingCalibration& calibration) {
  TextTable table{.columns = {left("experts in the cache")}, .rows = {}};
  for (const LocalityRow& row : calibration.locality.all)
    table.columns.push_back({.heading = fmt::format("layer {}", row.measured.layer)});
  table.columns.push_back({.heading = fmt::format("mean of {}", kMixtralLayers)});
  for (const CacheEstimate& cache : calibration.caches) {
    std::vector<std::string> cells{
        fmt::format("{} of {}", cache.cached_experts, calibration.locality.num_experts)};
    for (const LocalityRow& row : calibration.locality.all) {
      const auto layer = static_cast<std::size_t>(row.measured.layer);
      cells.push_back(layer < cache.hit_rates.size() ? fmt::format("{:.3f}", cache.hit_rates[layer])
                                                     : "-");
    }
    cells.push_back(
        fmt::format("{:.3f}", std::accumulate(cache.hit_rates.begin(), cache.hit_rates.end(), 0.0) /
                                  static_cast<double>(cache.hit_rates.size())));
    table.rows.push_back(std::move(cells));
  }
  return fmt::format(
      "\nShare of choices found among the experts used last, as the chains imply it (not fitted; "
      "published:\n{} to {} for 2 to 4 of 8 experts):\n\n{}",
      calibration.loads.lru_hit_low, calibration.loads.lru_hit_high, format(table, kWidth));
}

}  // namespace

RoutingCalibration calibrate_routing(const LocalityTable& locality, const LoadTable& loads) {
  const LoadRange& range = loads.loads.range;
  RoutingCalibration calibration{.locality = {}, .loads = loads.loads, .sigmas = {}, .caches = {}};
  // Three digits, as the profile carries it: the tilts are fitted beside what is written.
  const double sigma = std::round(1e3 * fit_sigma_to_load_range(range)) / 1e3;
  calibration.sigmas.push_back(
      {.model = loads.loads.model,
       .balancing = loads.loads.balancing,
       .from = fmt::format("shares of choices {} to {}, {} x {}", range.smallest, range.largest,
                           range.num_groups, range.num_experts),
       .sigma = sigma});
  for (const PublishedViolation& published : loads.violations)
    calibration.sigmas.push_back(
        {.model = published.model,
         .balancing = published.balancing,
         .from =
             fmt::format("max violation {}, {} experts, top-{}", published.violation.max_violation,
                         published.violation.num_experts, published.violation.top_k),
         .sigma = fit_sigma_to_max_violation(published.violation)});
  calibration.locality = fit_locality(locality.rows, sigma, range.num_experts);
  for (const int cached : {2, 4})
    calibration.caches.push_back(
        {.cached_experts = cached,
         .hit_rates = lru_hit_rates(calibration.locality, kMixtralLayers, cached)});
  return calibration;
}

std::string calibration_tables(const RoutingCalibration& calibration) {
  return locality_table(calibration.locality) + sigma_table(calibration) + cache_table(calibration);
}

}  // namespace switchyard
