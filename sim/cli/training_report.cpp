#include "sim/cli/training_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of_layer(std::size_t layer, std::size_t num_entries) {
  return layer + 1 == num_entries ? "mean" : fmt::format("{}", layer);
}

std::string factor_text(const SlotLimit& limit) {
  return limit.capacity_factor ? fmt::format("{:g}", *limit.capacity_factor) : "dropless";
}

std::string percent(double fraction) { return fmt::format("{:.2f}", 100.0 * fraction); }
std::string ratio(double value) { return fmt::format("{:.3f}", value); }

std::string steps_text(const TracedSteps& steps) {
  return fmt::format("{} recorded steps, {} to {}", steps.count, steps.first, steps.last);
}

std::string replay_table(const TrainingComparison& of) {
  TextTable table;
  table.columns = {{"layer", Alignment::kLeft},
                   {"dropped %\nmeasured"},
                   {"dropped %\nreplayed"},
                   {"max/mean\nmeasured"},
                   {"max/mean\nreplayed"}};
  for (std::size_t l = 0; l < of.measured.size(); ++l)
    table.rows.push_back(
        {name_of_layer(l, of.measured.size()), percent(of.measured[l].dropped_fraction.front()),
         percent(of.replayed[l].dropped_fraction.front()), ratio(of.measured[l].load_max_over_mean),
         ratio(of.replayed[l].load_max_over_mean)});
  return fmt::format(
      "Second half ({}), capacity factor {}: counted by the kernels,\nand their choices replayed "
      "by "
      "the simulator\n{}{} of {} layers of recorded steps differ between the two\n",
      steps_text(of.second_half), factor_text(of.limits.front()), format(table, 100),
      of.num_different == 0 ? "none" : fmt::format("{}", of.num_different), of.num_compared);
}

/// One row of predictions beside what was measured.
struct PredictedRow {
  std::string what;
  std::size_t layer = 0;
  double measured = 0;
  std::vector<Percentiles> predicted{};  ///< by model
  bool is_fraction = true;
};

std::vector<PredictedRow> predicted_rows(const TrainingComparison& of) {
  std::vector<PredictedRow> rows;
  const std::size_t mean = of.observed.size() - 1;
  const auto add_drops = [&](std::size_t limit, std::size_t layer) {
    PredictedRow row{.what = fmt::format("dropped %, factor {}", factor_text(of.limits[limit])),
                     .layer = layer,
                     .measured = of.observed[layer].dropped_fraction[limit]};
    for (const ModelForecast& model : of.forecasts)
      row.predicted.push_back(model.layers[layer].dropped_fraction[limit]);
    rows.push_back(row);
  };
  for (std::size_t l = 0; l <= mean; ++l) add_drops(0, l);
  for (std::size_t limit = 1; limit < of.limits.size(); ++limit) add_drops(limit, mean);
  for (std::size_t l = 0; l <= mean; ++l) {
    PredictedRow row{.what = "max/mean",
                     .layer = l,
                     .measured = of.observed[l].load_max_over_mean,
                     .is_fraction = false};
    for (const ModelForecast& model : of.forecasts)
      row.predicted.push_back(model.layers[l].load_max_over_mean);
    rows.push_back(row);
  }
  return rows;
}

std::string forecast_table(const TrainingComparison& of) {
  TextTable table;
  table.columns = {{"", Alignment::kLeft}, {"layer"}, {"measured"}};
  for (const ModelForecast& model : of.forecasts)
    table.columns.push_back({model.name + "\np5 / p50 / p95"});
  for (const PredictedRow& row : predicted_rows(of)) {
    const auto text = [&](double x) { return row.is_fraction ? percent(x) : ratio(x); };
    std::vector<std::string> cells{row.what, name_of_layer(row.layer, of.observed.size()),
                                   text(row.measured)};
    for (const Percentiles& p : row.predicted)
      cells.push_back(fmt::format("{} / {} / {}", text(p.p5), text(p.p50), text(p.p95)));
    table.rows.push_back(std::move(cells));
  }
  return format(table, 120);
}

Json percentiles_json(const Percentiles& p, const char* unit) {
  return {{fmt::format("p5_{}", unit), p.p5},
          {fmt::format("p50_{}", unit), p.p50},
          {fmt::format("p95_{}", unit), p.p95}};
}

Json steps_json(const TracedSteps& steps) {
  return {{"first_step", steps.first}, {"last_step", steps.last}, {"recorded_steps", steps.count}};
}

Json limit_json(const SlotLimit& limit) {
  Json json{{"capacity_factor", nullptr}};
  if (limit.capacity_factor) json["capacity_factor"] = *limit.capacity_factor;
  return json;
}

Json outcome_json(const RoutingOutcome& outcome, std::size_t layer, std::size_t num_entries,
                  const std::vector<SlotLimit>& limits) {
  Json drops = Json::array();
  for (std::size_t c = 0; c < outcome.dropped_fraction.size(); ++c) {
    drops.push_back(limit_json(limits[c]));
    drops.back()["dropped_fraction"] = outcome.dropped_fraction[c];
  }
  return {{"layer", name_of_layer(layer, num_entries)},
          {"load_max_over_mean", outcome.load_max_over_mean},
          {"drops", drops}};
}

Json outcomes_json(const std::vector<RoutingOutcome>& outcomes,
                   const std::vector<SlotLimit>& limits) {
  Json list = Json::array();
  for (std::size_t l = 0; l < outcomes.size(); ++l)
    list.push_back(outcome_json(outcomes[l], l, outcomes.size(), limits));
  return list;
}

Json model_json(const ModelForecast& model, const std::vector<SlotLimit>& limits) {
  Json layers = Json::array();
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const RoutingForecast& forecast = model.layers[l];
    Json drops = Json::array();
    for (std::size_t c = 0; c < limits.size(); ++c) {
      drops.push_back(limit_json(limits[c]));
      drops.back()["dropped"] = percentiles_json(forecast.dropped_fraction[c], "fraction");
    }
    layers.push_back({{"layer", name_of_layer(l, model.layers.size())},
                      {"load", percentiles_json(forecast.load_max_over_mean, "max_over_mean")},
                      {"drops", drops}});
  }
  return {{"model", model.name}, {"fitted", model.fitted}, {"layers", layers}};
}

}  // namespace

std::string comparison_tables(const TrainingComparison& of) {
  std::string models;
  for (const ModelForecast& model : of.forecasts)
    models += fmt::format("  {:8} fitted: {}\n", model.name, model.fitted);
  return fmt::format(
      "{}\nFourth quarter ({}): measured, and predicted by models\nfitted to the third alone ({}). "
      "Slots by the simulator;\npercentiles over {} draws of as many steps.\n"
      "{}  learned has sigma {:.3f} by layer; its popularity forgets itself in {:.0f} steps\n{}",
      replay_table(of), steps_text(of.fourth_quarter), steps_text(of.third_quarter), of.samples,
      models, fmt::join(of.sigmas, ", "), of.drift_steps, forecast_table(of));
}

Json comparison_json(const TrainingComparison& of) {
  Json models = Json::array();
  for (const ModelForecast& model : of.forecasts) models.push_back(model_json(model, of.limits));
  return {{"second_half",
           {{"steps", steps_json(of.second_half)},
            {"measured", outcomes_json(of.measured, of.limits)},
            {"replayed", outcomes_json(of.replayed, of.limits)},
            {"layers_compared", of.num_compared},
            {"layers_different", of.num_different}}},
          {"fitted_to", {{"steps", steps_json(of.third_quarter)}}},
          {"fitted", {{"lognormal_sigma", of.sigmas}, {"drift_steps", of.drift_steps}}},
          {"fourth_quarter",
           {{"steps", steps_json(of.fourth_quarter)},
            {"measured", outcomes_json(of.observed, of.limits)},
            {"samples", of.samples},
            {"predicted", models}}}};
}

}  // namespace switchyard
