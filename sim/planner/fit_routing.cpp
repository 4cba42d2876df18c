#include "sim/planner/fit_routing.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include <fmt/ostream.h>

#include "sim/core/error.hpp"
#include "sim/planner/minimize.hpp"
#include "sim/workload/routing/lognormal_shares.hpp"
#include "sim/workload/routing/temporal_chain.hpp"

namespace switchyard {
namespace {

double squared(double x) { return x * x; }

LocalityRow fit_row(const LocalityMeasurement& measured, const std::vector<double>& shares) {
  const auto repeats = [&](const std::vector<double>& tilts) {
    return choice_repeats({.shares = shares, .first_tilt = tilts[0], .second_tilt = tilts[1]});
  };
  const auto cost = [&](const std::vector<double>& tilts) {
    const ChoiceRepeats model = repeats(tilts);
    return squared(model.first - measured.repeats.first) +
           squared(model.first_or_second - measured.repeats.first_or_second);
  };
  constexpr SearchRange kTilt{.start = 0.5, .lowest = -1.0, .highest = 9.0};
  const std::vector<double> tilts = minimize(cost, {kTilt, kTilt});
  return {.measured = measured,
          .first_tilt = tilts[0],
          .second_tilt = tilts[1],
          .fitted = repeats(tilts)};
}

/// The mean over data sets of each layer, by ascending layer.
std::vector<LocalityMeasurement> layer_means(const std::vector<LocalityMeasurement>& rows) {
  std::map<int, std::pair<ChoiceRepeats, int>> sums;
  for (const LocalityMeasurement& row : rows) {
    auto& [sum, count] = sums[row.layer];
    sum.first += row.repeats.first;
    sum.first_or_second += row.repeats.first_or_second;
    ++count;
  }
  std::vector<LocalityMeasurement> means;
  for (const auto& [layer, entry] : sums) {
    const auto& [sum, count] = entry;
    means.push_back(
        {.dataset = "all",
         .layer = layer,
         .repeats = {.first = sum.first / count, .first_or_second = sum.first_or_second / count}});
  }
  return means;
}

void write_layers(const std::string& domain, const std::vector<LocalityRow>& rows, double sigma,
                  std::ostream& yaml) {
  fmt::print(yaml, "  {}:\n", domain);
  for (const LocalityRow& row : rows)
    fmt::print(yaml,
               "    - {{layer: {}, popularity_sigma: {:.3f}, first_tilt: {:.3f}, second_tilt: "
               "{:.3f}}}\n",
               row.measured.layer, sigma, row.first_tilt, row.second_tilt);
}

}  // namespace

ExpertChain expert_chain(const LocalityFit& fit, const LocalityRow& row) {
  return {.shares = lognormal_quantile_shares(fit.popularity_sigma, fit.num_experts),
          .first_tilt = row.first_tilt,
          .second_tilt = row.second_tilt};
}

LocalityFit fit_locality(const std::vector<LocalityMeasurement>& measurements,
                         double popularity_sigma, int num_experts) {
  SWITCHYARD_CHECK(!measurements.empty(), "nothing to fit to");
  const auto shares = lognormal_quantile_shares(popularity_sigma, num_experts);
  LocalityFit fit{
      .num_experts = num_experts, .popularity_sigma = popularity_sigma, .rows = {}, .all = {}};
  for (const LocalityMeasurement& row : measurements) fit.rows.push_back(fit_row(row, shares));
  for (const LocalityMeasurement& row : layer_means(measurements))
    fit.all.push_back(fit_row(row, shares));
  return fit;
}

std::vector<double> lru_hit_rates(const LocalityFit& fit, int num_layers, int cached_experts) {
  SWITCHYARD_CHECK(!fit.all.empty() && num_layers >= 1, "{} fitted, {} layers", fit.all.size(),
                   num_layers);
  std::vector<LayerMemory> memories;
  for (const LocalityRow& row : fit.all)
    memories.push_back({.layer = row.measured.layer,
                        .popularity = UniformPopularity{},  // that of the fit comes below
                        .first_tilt = row.first_tilt,
                        .second_tilt = row.second_tilt});
  const auto shares = lognormal_quantile_shares(fit.popularity_sigma, fit.num_experts);
  std::vector<double> rates;
  for (int layer = 0; layer < num_layers; ++layer) {
    const LayerMemory memory = memory_of_layer(memories, layer);
    rates.push_back(lru_hit_rate(
        {.shares = shares, .first_tilt = memory.first_tilt, .second_tilt = memory.second_tilt},
        cached_experts));
  }
  return rates;
}

void write_temporal_profile(const LocalityFit& fit, const std::vector<std::string>& comments,
                            std::ostream& yaml) {
  fmt::print(
      yaml,
      "# Temporal locality of a router: a token's choices depend on those of the token "
      "before.\n"
      "# Written by `switchyard fit routing --write ...`; docs/routing_calibration.md has "
      "the model.\n"
      "# All numbers below are fitted: tilts to two measured shares each (all: to their mean "
      "over\n"
      "# data sets), popularity_sigma, one for all, to the range of measured loads. The "
      "measurements:\n"
      "#\n");
  for (const std::string& comment : comments) fmt::print(yaml, "{}\n", comment);
  fmt::print(yaml, "experts: {}\ndomains:\n", fit.num_experts);
  write_layers("all", fit.all, fit.popularity_sigma, yaml);
  std::vector<std::string> datasets;  // in the order of the rows
  for (const LocalityRow& row : fit.rows)
    if (std::ranges::find(datasets, row.measured.dataset) == datasets.end())
      datasets.push_back(row.measured.dataset);
  for (const std::string& dataset : datasets) {
    std::vector<LocalityRow> rows;
    std::ranges::copy_if(fit.rows, std::back_inserter(rows),
                         [&](const LocalityRow& row) { return row.measured.dataset == dataset; });
    std::ranges::sort(rows, {}, [](const LocalityRow& row) { return row.measured.layer; });
    write_layers(dataset, rows, fit.popularity_sigma, yaml);
  }
}

}  // namespace switchyard
