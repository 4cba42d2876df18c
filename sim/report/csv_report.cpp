#include "sim/report/csv_report.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/evidence_report.hpp"
#include "sim/report/prediction_error.hpp"

namespace switchyard {
namespace {

using Cells = std::vector<std::string>;

constexpr std::array<std::string_view, 2> kStacks = {"encoder", "decoder"};

/// What is written of a stack's draws.
struct RoutingColumn {
  std::string_view name;
  Percentiles StackRouting::*values;
};
constexpr std::array<RoutingColumn, 7> kRoutingColumns = {{
    {"dropped_fraction", &StackRouting::dropped_fraction},
    {"padding_fraction", &StackRouting::padding_fraction},
    {"expert_imbalance", &StackRouting::expert_imbalance},
    {"rank_imbalance", &StackRouting::rank_imbalance},
    {"worst_rank_dropped_fraction", &StackRouting::worst_rank_dropped_fraction},
    {"experts_touched", &StackRouting::experts_touched},
    {"choices_per_token", &StackRouting::choices_per_token},
}};

/// "all-to-all" -> "all_to_all_s".
std::string time_column(OperatorClass operator_class) {
  std::string name{class_name(operator_class)};
  for (char& c : name)
    if (c == '-' || c == ' ') c = '_';
  return name + "_s";
}

std::string line_of(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line.push_back(',');
    line += csv_quoted(cell);
  }
  return line + "\n";
}

std::string number(double value) { return fmt::format("{}", value); }

Cells header() {
  Cells cells = {"case",
                 "examples_per_s",
                 "published_examples_per_s",
                 "error_fraction",
                 "role",
                 "step_time_s",
                 "microbatch_time_s",
                 "microbatch_sequences",
                 "num_microbatches",
                 "num_ranks",
                 "mfu",
                 "memory_peak_bytes",
                 "fits_in_memory",
                 "fits_in_memory_fraction",
                 "all_to_all_sent_bytes",
                 "busiest_link_bytes"};
  for (const std::string_view stack : kStacks)
    for (const RoutingColumn& column : kRoutingColumns)
      for (const char* percentile : {"p5", "p50", "p95"})
        cells.push_back(fmt::format("{}_{}_{}", stack, column.name, percentile));
  for (int i = 0; i < kNumOperatorClasses; ++i)
    cells.push_back(time_column(static_cast<OperatorClass>(i)));
  for (const char* name : {"idle_s", "step_time_p5_s", "step_time_p95_s", "memory_peak_p95_bytes"})
    cells.emplace_back(name);
  return cells;
}

void append_published(Cells& cells, const CaseReport& row) {
  if (!row.published) {
    cells.insert(cells.end(), 3, "");
    return;
  }
  cells.push_back(number(row.published->examples_rate.base()));
  cells.push_back(number(*relative_error(row)));
  cells.emplace_back(role_name(row.published->role));
}

void append_routing(Cells& cells, const TrainingResult& result) {
  for (const std::string_view stack : kStacks) {
    const auto found =
        std::find_if(result.routing.begin(), result.routing.end(),
                     [&](const StackRouting& routing) { return routing.stack == stack; });
    for (const RoutingColumn& column : kRoutingColumns) {
      if (found == result.routing.end()) {
        cells.insert(cells.end(), 3, "");
        continue;
      }
      const Percentiles& values = (*found).*column.values;
      for (const double value : {values.p5, values.p50, values.p95}) cells.push_back(number(value));
    }
  }
}

void append_breakdown(Cells& cells, const TrainingResult& result) {
  std::array<Seconds, kNumOperatorClasses> times;
  for (const ClassShare& share : result.breakdown)
    times.at(static_cast<std::size_t>(share.operator_class)) += share.time;
  for (const Seconds time : times) cells.push_back(number(time.base()));
  cells.push_back(number(result.idle.base()));
}

Cells row_of(const CaseReport& row) {
  const TrainingResult& result = row.result;
  Cells cells = {row.name, number(result.examples_rate.base())};
  append_published(cells, row);
  cells.push_back(number(result.step_time.base()));
  cells.push_back(number(result.microbatch_time.base()));
  cells.push_back(fmt::format("{}", result.microbatch_sequences));
  cells.push_back(fmt::format("{}", result.num_microbatches));
  cells.push_back(fmt::format("{}", result.num_ranks));
  cells.push_back(number(result.mfu));
  cells.push_back(number(result.memory.total().base()));
  cells.emplace_back(result.fits_in_memory ? "yes" : "no");
  cells.push_back(number(result.fits_probability));
  cells.push_back(number(result.all_to_all_sent.base()));
  cells.push_back(number(result.busiest_link.base()));
  append_routing(cells, result);
  append_breakdown(cells, result);
  for (const double value : {result.step_time_over_draws.p5, result.step_time_over_draws.p95,
                             result.memory_over_draws.p95})
    cells.push_back(number(value));
  return cells;
}

}  // namespace

std::string to_csv(const RunReport& report) {
  const BuildInfo build = build_info();
  std::string text = fmt::format("# switchyard {} git={} seed={} experiment={} engine={}\n",
                                 build.version, build.git_hash, report.seed,
                                 csv_comment(report.experiment), engine_name(report.engine));
  const bool is_anchored = std::ranges::any_of(
      report.cases, [](const CaseReport& row) { return !row.anchored_to.empty(); });
  Cells names = header();
  const Cells of_evidence = evidence_columns(report);
  names.insert(names.end(), of_evidence.begin(), of_evidence.end());
  if (is_anchored) names.emplace_back("anchored_to");
  text += line_of(names);
  for (const CaseReport& row : report.cases) {
    Cells cells = row_of(row);
    const Cells evidence = evidence_cells(report, row);
    cells.insert(cells.end(), evidence.begin(), evidence.end());
    if (is_anchored) cells.push_back(row.anchored_to);
    text += line_of(cells);
  }
  return text;
}

}  // namespace switchyard
