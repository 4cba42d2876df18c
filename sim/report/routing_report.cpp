#include "sim/report/routing_report.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTerminalWidth = 120;
constexpr std::size_t kBarWidth = 40;
constexpr std::size_t kMaxBars = 32;

/// A figure of RoutingSample: its name in CSV and JSON.
struct Figure {
  std::string_view name;
  double RoutingSample::*value;
};
constexpr Figure kFigures[] = {
    {"dropped_fraction", &RoutingSample::dropped_fraction},
    {"dropped_fraction_worst_rank", &RoutingSample::dropped_fraction_worst_rank},
    {"tokens_without_expert_fraction", &RoutingSample::tokens_without_expert_fraction},
    {"padding_fraction", &RoutingSample::padding_fraction},
    {"expert_imbalance", &RoutingSample::expert_imbalance},
    {"rank_imbalance", &RoutingSample::rank_imbalance},
    {"experts_touched", &RoutingSample::experts_touched},
    {"choices_per_token", &RoutingSample::choices_per_token},
    {"sent_choices_fraction", &RoutingSample::sent_choices_fraction},
    {"sent_per_rank_fraction", &RoutingSample::sent_per_rank_fraction},
    {"sent_per_node_fraction", &RoutingSample::sent_per_node_fraction},
};

Percentiles over_draws(const RoutingStudy& study,
                       const std::function<double(const RoutingDrawSample&)>& value) {
  std::vector<double> values;
  for (const RoutingDrawSample& draw : study.draws) values.push_back(value(draw));
  return percentiles(std::move(values));
}

/// One number of the report: a point of a curve, or a figure by itself.
struct Point {
  std::string what;
  std::optional<double> at = {};
  Percentiles value;
  std::optional<double> expected = {};
};

std::vector<Point> points(const RoutingStudy& study) {
  std::vector<Point> list;
  for (const Figure& figure : kFigures) {
    list.push_back(
        {.what = std::string{figure.name},
         .value = over_draws(study, [&](const auto& d) { return d.total.*figure.value; })});
    if (figure.value == &RoutingSample::dropped_fraction)
      list.back().expected = study.expected_dropped_fraction;
  }
  for (const Figure& figure : kFigures)
    for (std::size_t layer = 0; layer < study.draws.front().layers.size(); ++layer)
      list.push_back({.what = fmt::format("layer_{}", figure.name),
                      .at = static_cast<double>(layer),
                      .value = over_draws(
                          study, [&](const auto& d) { return d.layers[layer].*figure.value; })});
  for (std::size_t e = 0; e < study.draws.front().sorted_loads.size(); ++e)
    list.push_back({.what = "load_over_mean",
                    .at = static_cast<double>(e),
                    .value = over_draws(study, [&](const auto& d) { return d.sorted_loads[e]; })});
  for (std::size_t i = 0; i < study.spec.capacity_factors.size(); ++i) {
    list.push_back({.what = "dropped_fraction_at_capacity_factor",
                    .at = study.spec.capacity_factors[i],
                    .value = over_draws(
                        study, [&](const auto& d) { return d.dropped_at_capacity_factor[i]; })});
    if (!study.expected_at_capacity_factor.empty())
      list.back().expected = study.expected_at_capacity_factor[i];
  }
  for (std::size_t i = 0; i < study.spec.expert_counts.size(); ++i)
    list.push_back(
        {.what = "dropped_fraction_at_expert_count",
         .at = static_cast<double>(study.spec.expert_counts[i]),
         .value = over_draws(study, [&](const auto& d) { return d.dropped_at_expert_count[i]; })});
  const auto one = [](double value) { return Percentiles{value, value, value}; };
  const LocalityStudy& locality = study.locality;
  for (std::size_t i = 0; i < locality.cached_experts.size(); ++i) {
    const auto cached = static_cast<double>(locality.cached_experts[i]);
    list.push_back(
        {.what = "lru_hit_rate_fraction", .at = cached, .value = one(locality.lru_hit_rate[i])});
    list.push_back({.what = "least_stale_hit_rate_fraction",
                    .at = cached,
                    .value = one(locality.least_stale_hit_rate[i])});
  }
  for (std::size_t i = 0; i < locality.reuse_distance_fraction.size(); ++i)
    list.push_back({.what = "reuse_distance_fraction",
                    .at = static_cast<double>(i + 1),
                    .value = one(locality.reuse_distance_fraction[i])});
  return list;
}

std::string percent(double fraction) { return fmt::format("{:.1f}", 100 * fraction); }

std::string percent_range(const Percentiles& value) {
  return value.p5 == value.p95
             ? percent(value.p50)
             : fmt::format("{} ({}-{})", percent(value.p50), percent(value.p5), percent(value.p95));
}

std::string range(const Percentiles& value) {
  return value.p5 == value.p95
             ? fmt::format("{:.2f}", value.p50)
             : fmt::format("{:.2f} ({:.2f}-{:.2f})", value.p50, value.p5, value.p95);
}

TextTable overview(const RoutingReport& report) {
  TextTable table;
  table.columns = {{"case", Alignment::kLeft},
                   {"stack", Alignment::kLeft},
                   {"group\ntokens"},
                   {"slots per\nexpert"},
                   {"dropped\n%"},
                   {"expected\n%"},
                   {"worst\nrank %"},
                   {"padding\n%"},
                   {"imbalance\nof experts"},
                   {"imbalance\nof ranks"},
                   {"experts\ntouched"}};
  for (const RoutingStudy& study : report.studies) {
    const auto figure = [&](double RoutingSample::*value) {
      return over_draws(study, [&](const auto& d) { return d.total.*value; });
    };
    const std::int64_t capacity = study.spec.shape.capacity;
    table.rows.push_back(
        {study.case_name, study.stack, fmt::format("{}", study.spec.shape.group_tokens),
         capacity == kUnlimitedSlots ? "no limit" : fmt::format("{}", capacity),
         percent_range(figure(&RoutingSample::dropped_fraction)),
         study.expected_dropped_fraction ? percent(*study.expected_dropped_fraction) : "-",
         percent(figure(&RoutingSample::dropped_fraction_worst_rank).p50),
         percent(figure(&RoutingSample::padding_fraction).p50),
         range(figure(&RoutingSample::expert_imbalance)),
         range(figure(&RoutingSample::rank_imbalance)),
         fmt::format("{:.0f}", figure(&RoutingSample::experts_touched).p50)});
  }
  return table;
}

std::string load_bars(const RoutingStudy& study) {
  const std::size_t experts = study.draws.front().sorted_loads.size();
  const std::size_t step = (experts + kMaxBars - 1) / kMaxBars;
  std::string text = fmt::format(
      "load over the mean, busiest expert first{}; a bar is the median, + to the 95th percentile\n",
      step == 1 ? "" : fmt::format(", every {}th", step));
  const auto load = [&](std::size_t e) {
    return over_draws(study, [&](const auto& d) { return d.sorted_loads[e]; });
  };
  const double most = std::max(load(0).p95, 1e-9);
  const auto width = [&](double value) {
    return static_cast<std::size_t>(value / most * static_cast<double>(kBarWidth) + 0.5);
  };
  for (std::size_t e = 0; e < experts; e += step) {
    const Percentiles value = load(e);
    text += fmt::format("  {:>5}  {:<5.2f} {}{}\n", e + 1, value.p50,
                        std::string(width(value.p50), '#'),
                        std::string(width(value.p95) - width(value.p50), '+'));
  }
  return text;
}

std::string curve(const RoutingStudy& study, std::string_view what, const std::string& heading,
                  const std::string& at_heading) {
  TextTable table;
  table.columns = {{at_heading}, {"dropped %"}, {"expected %"}};
  for (const Point& point : points(study))
    if (point.what == what)
      table.rows.push_back({fmt::format("{:g}", *point.at), percent_range(point.value),
                            point.expected ? percent(*point.expected) : "-"});
  return table.rows.empty() ? "" : heading + "\n" + format(table, kTerminalWidth) + "\n";
}

std::string traffic_text(const RoutingStudy& study) {
  const auto figure = [&](double RoutingSample::*value) {
    return over_draws(study, [&](const auto& d) { return d.total.*value; }).p50;
  };
  return fmt::format(
      "of the kept choices {} % leave their rank; with a token once per rank {} %{}\n",
      percent(figure(&RoutingSample::sent_choices_fraction)),
      percent(figure(&RoutingSample::sent_per_rank_fraction)),
      study.spec.ranks_per_node < study.spec.shape.num_ranks
          ? fmt::format("; with a token once per node of {} ranks {} % cross between nodes",
                        study.spec.ranks_per_node,
                        percent(figure(&RoutingSample::sent_per_node_fraction)))
          : "");
}

std::string locality_text(const RoutingStudy& study) {
  const LocalityStudy& locality = study.locality;
  if (locality.cached_experts.empty()) return "";
  TextTable table;
  table.columns = {{"experts cached\nper layer"}, {"LRU\nhits %"}, {"least-stale\nhits %"}};
  for (std::size_t i = 0; i < locality.cached_experts.size(); ++i)
    table.rows.push_back({fmt::format("{}", locality.cached_experts[i]),
                          percent(locality.lru_hit_rate[i]),
                          percent(locality.least_stale_hit_rate[i])});
  std::string text = "one sequence decoded token by token\n" + format(table, kTerminalWidth);
  text += "tokens until an expert is used again: ";
  const auto& reuse = locality.reuse_distance_fraction;
  double sum = 0;
  for (std::size_t i = 0; i < reuse.size(); ++i) {
    sum += reuse[i];
    if (i == 0 || i == 1 || i == 3 || i == 7 || i == 15)
      text += fmt::format("{}{} % within {}", i == 0 ? "" : ", ", percent(sum), i + 1);
  }
  return text + "\n";
}

}  // namespace

std::string format_table(const RoutingReport& report, std::size_t max_details) {
  std::string text = fmt::format(
      "{}: {} draw(s), seed {}; median (5th-95th percentile) over draws, "
      "mean over the MoE layers\n\n",
      report.experiment, report.studies.front().draws.size(), report.seed);
  text += format(overview(report), kTerminalWidth);
  for (std::size_t i = 0; i < std::min(max_details, report.studies.size()); ++i) {
    const RoutingStudy& study = report.studies[i];
    text += fmt::format("\n== {}, {}: {} experts, top {}, {} ranks, {} MoE layer(s)\n\n",
                        study.case_name, study.stack, study.spec.shape.num_experts,
                        study.spec.routing.gate.top_k, study.spec.shape.num_ranks,
                        study.spec.shape.num_layers);
    text += load_bars(study) + "\n" + traffic_text(study) + "\n";
    text += curve(study, "dropped_fraction_at_capacity_factor", "drops by capacity factor",
                  "capacity factor");
    text +=
        curve(study, "dropped_fraction_at_expert_count", "drops by number of experts", "experts");
    text += locality_text(study);
  }
  if (max_details < report.studies.size())
    text += fmt::format("\n{} further case(s) in --format csv and --out; --case NAME shows one\n",
                        report.studies.size() - max_details);
  return text;
}

std::string to_csv(const RoutingReport& report) {
  const BuildInfo build = build_info();
  std::string text = fmt::format("# switchyard {} git={} seed={} experiment={}\n", build.version,
                                 build.git_hash, report.seed, csv_comment(report.experiment));
  text += "case,stack,what,at,p5,p50,p95,expected\n";
  for (const RoutingStudy& study : report.studies)
    for (const Point& point : points(study))
      text += fmt::format("{},{},{},{},{},{},{},{}\n", csv_quoted(study.case_name), study.stack,
                          point.what, point.at ? fmt::format("{}", *point.at) : "", point.value.p5,
                          point.value.p50, point.value.p95,
                          point.expected ? fmt::format("{}", *point.expected) : "");
  return text;
}

Json to_json(const RoutingReport& report) {
  const BuildInfo build = build_info();
  Json studies = Json::array();
  for (const RoutingStudy& study : report.studies) {
    Json numbers = Json::array();
    for (const Point& point : points(study)) {
      Json number = {{"what", point.what}};
      if (point.at) number["at"] = *point.at;
      number.update({{"p5", point.value.p5}, {"p50", point.value.p50}, {"p95", point.value.p95}});
      if (point.expected) number["expected"] = *point.expected;
      numbers.push_back(std::move(number));
    }
    const RoutingShape& shape = study.spec.shape;
    studies.push_back({{"case", study.case_name},
                       {"stack", study.stack},
                       {"routing", study.input},
                       {"num_experts", shape.num_experts},
                       {"num_ranks", shape.num_ranks},
                       {"ranks_per_node", study.spec.ranks_per_node},
                       {"num_moe_layers", shape.num_layers},
                       {"groups_per_rank", shape.groups_per_rank},
                       {"group_tokens", shape.group_tokens},
                       {"capacity_tokens",
                        shape.capacity == kUnlimitedSlots ? Json(nullptr) : Json(shape.capacity)},
                       {"draws", study.draws.size()},
                       {"results", numbers}});
  }
  return {
      {"switchyard",
       {{"version", build.version}, {"git_hash", build.git_hash}, {"compiler", build.compiler}}},
      {"experiment", report.experiment},
      {"seed", report.seed},
      {"studies", studies}};
}

}  // namespace switchyard
