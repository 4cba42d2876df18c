#include "sim/report/table_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/evidence_report.hpp"
#include "sim/report/prediction_error.hpp"
#include "sim/report/ratio_table.hpp"
#include "sim/report/savings_table.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kTerminalWidth = 110;
constexpr std::string_view kNone = "-";

/// Digits after the point that give the largest number of a column four significant digits, and the
/// smallest about two.
int decimals_for(double largest, double smallest) {
  if (smallest < 0.1) return 3;
  if (smallest < 1.0) return largest >= 10.0 ? 2 : 3;
  if (smallest < 10.0 && largest >= 100.0) return 1;
  if (largest >= 1000.0) return 0;
  if (largest >= 100.0) return 1;
  if (largest >= 10.0) return 2;
  return 3;
}

std::string fixed(double value, int decimals) { return fmt::format("{:.{}f}", value, decimals); }

/// One decimal; what is there but would round to nothing says so.
std::string percent(double fraction) {
  if (fraction > 0.0 && fraction < 0.0005) return "<0.1";
  return fmt::format("{:.1f}", 100.0 * fraction);
}

/// The unit in which a column's times are written.
struct TimeUnit {
  std::string_view symbol = "s";
  Seconds unit = Seconds{1.0};
};

TimeUnit unit_for(Seconds largest) {
  if (largest >= Seconds{1.0}) return {};
  if (largest >= Seconds{1e-3}) return {.symbol = "ms", .unit = Seconds{1e-3}};
  return {.symbol = "us", .unit = Seconds{1e-6}};
}

bool any_published(const RunReport& report) {
  return std::any_of(report.cases.begin(), report.cases.end(),
                     [](const CaseReport& row) { return row.published.has_value(); });
}

bool any_routing(const RunReport& report) {
  return std::any_of(report.cases.begin(), report.cases.end(),
                     [](const CaseReport& row) { return !row.result.routing.empty(); });
}

/// Whether the draws decide the step time of a case.
bool is_distribution(const Percentiles& times) { return times.p95 > times.p5; }

bool any_distribution(const RunReport& report) {
  return std::any_of(report.cases.begin(), report.cases.end(), [](const CaseReport& row) {
    return is_distribution(row.result.step_time_over_draws);
  });
}

/// What follows the memory of a case that does not fit, in all draws or in some.
std::string too_much(const TrainingResult& result) {
  if (result.fits_probability <= 0.0 || result.fits_probability >= 1.0)
    return result.fits_in_memory ? "" : " too much";
  return fmt::format(" fits {} % of draws", percent(result.fits_probability));
}

/// Median share of dropped tokens of each stack: "1.3 / 0.9".
std::string dropped(const CaseReport& row) {
  std::string text;
  for (const StackRouting& stack : row.result.routing)
    text += (text.empty() ? "" : " / ") + percent(stack.dropped_fraction.p50);
  return text.empty() ? std::string{kNone} : text;
}

/// "encoder / decoder": the stacks in the order of dropped().
std::string stack_names(const RunReport& report) {
  std::string names;
  for (const CaseReport& row : report.cases) {
    if (row.result.routing.empty()) continue;
    for (const StackRouting& stack : row.result.routing)
      names += (names.empty() ? "" : " / ") + stack.stack.substr(0, 3) + ".";
    break;
  }
  return names;
}

/// "101.2 to 109.9"; nothing where all draws take the same time.
std::string range_of(const Percentiles& times, const TimeUnit& time, int decimals) {
  if (!is_distribution(times)) return std::string{kNone};
  return fixed(Seconds{times.p5} / time.unit, decimals) + " to " +
         fixed(Seconds{times.p95} / time.unit, decimals);
}

TextTable table_of_cases(const RunReport& report) {
  PerSecond fastest;
  PerSecond slowest{std::numeric_limits<double>::infinity()};
  Seconds longest;
  Seconds shortest{std::numeric_limits<double>::infinity()};
  for (const CaseReport& row : report.cases) {
    slowest = std::min(slowest, row.result.examples_rate);
    shortest = std::min(shortest, row.result.step_time);
    fastest = std::max(fastest, row.result.examples_rate);
    if (row.published) fastest = std::max(fastest, row.published->examples_rate);
    longest =
        std::max({longest, row.result.step_time, Seconds{row.result.step_time_over_draws.p95}});
  }
  const int rate_decimals = decimals_for(fastest.base(), slowest.base());
  const TimeUnit time = unit_for(longest);
  const int time_decimals = decimals_for(longest / time.unit, shortest / time.unit);
  const bool published = any_published(report);
  const bool routing = any_routing(report);
  const bool distribution = any_distribution(report);

  TextTable table;
  table.columns = {{"case", Alignment::kLeft}, {published ? "ours\nexamples/s" : "examples/s"}};
  if (published) {
    table.columns.push_back({"published\nexamples/s"});
    table.columns.push_back({"error\n%"});
    table.columns.push_back({"row", Alignment::kLeft});
  }
  table.columns.push_back({fmt::format("step time\n{}", time.symbol)});
  if (distribution) table.columns.push_back({fmt::format("p5 to p95\n{}", time.symbol)});
  table.columns.push_back({"MFU\n%"});
  if (routing) table.columns.push_back({"dropped p50 %\n" + stack_names(report)});
  table.columns.push_back({"microbatches\nx sequences"});
  table.columns.push_back({"memory\nGB"});

  for (const CaseReport& row : report.cases) {
    const TrainingResult& result = row.result;
    std::vector<std::string> cells = {row.name, fixed(result.examples_rate.base(), rate_decimals)};
    if (published && row.published) {
      cells.push_back(fixed(row.published->examples_rate.base(), rate_decimals));
      cells.push_back(signed_percent(*relative_error(row)));
      cells.emplace_back(role_name(row.published->role));
    } else if (published) {
      cells.insert(cells.end(), 3, std::string{kNone});
    }
    cells.push_back(fixed(result.step_time / time.unit, time_decimals));
    if (distribution) cells.push_back(range_of(result.step_time_over_draws, time, time_decimals));
    cells.push_back(percent(result.mfu));
    if (routing) cells.push_back(dropped(row));
    cells.push_back(fmt::format("{} x {}", result.num_microbatches, result.microbatch_sequences));
    cells.push_back(fixed(result.memory.total().base() / 1e9, 2) + too_much(result));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string text_of_errors(const RunReport& report) {
  const ErrorSummary summary = summarize_errors(report);
  std::string text;
  if (summary.num_predicted == 0)
    text = "No row was predicted: every published figure here was used to fit, none is evidence.\n";
  else
    text =
        fmt::format("{} predicted row{}: mean absolute error {:.1f} %, largest {:+.1f} % ({}).\n",
                    summary.num_predicted, summary.num_predicted == 1 ? "" : "s",
                    100.0 * summary.mean_absolute_error, 100.0 * summary.largest_error,
                    summary.largest_error_case);
  if (summary.num_predicted > 0 && summary.num_fit > 0)
    text += fmt::format("{} fit row{} set the constants and {} not counted.\n", summary.num_fit,
                        summary.num_fit == 1 ? "" : "s", summary.num_fit == 1 ? "is" : "are");
  return text;
}

TextTable table_of_leave_one_out(const RunReport& report) {
  TextTable table;
  table.columns = {
      {"row left out of the fit", Alignment::kLeft}, {"error\n%"}, {"best constant's\nerror %"}};
  for (const LeaveOneOut& row : report.leave_one_out)
    table.rows.push_back(
        {row.name, signed_percent(row.model_error), signed_percent(row.constant_error)});
  const LeaveOneOutSummary mean = summarize_leave_one_out(report);
  table.rows.push_back({"mean absolute", fmt::format("{:.1f}", 100.0 * mean.model),
                        fmt::format("{:.1f}", 100.0 * mean.constant)});
  return table;
}

/// The classes in the order of the table, with headings that keep 13 columns within a terminal.
struct ClassColumn {
  OperatorClass operator_class;
  std::string_view heading;
};
constexpr std::array<ClassColumn, kNumOperatorClasses> kClassColumns = {{
    {OperatorClass::kAttention, "atten-\ntion"},
    {OperatorClass::kFeedForward, "feed-\nforward"},
    {OperatorClass::kExperts, "experts"},
    {OperatorClass::kDispatch, "dis-\npatch"},
    {OperatorClass::kAllToAll, "all-to-\nall"},
    {OperatorClass::kRouter, "router"},
    {OperatorClass::kAccumulation, "grad.\naccum."},
    {OperatorClass::kAllReduce, "all-\nreduce"},
    {OperatorClass::kGather, "gather"},
    {OperatorClass::kOptimizer, "opti-\nmizer"},
    {OperatorClass::kEmbedding, "embed-\nding"},
    {OperatorClass::kLogits, "logits"},
    {OperatorClass::kNormalization, "norm."},
}};

Seconds time_of(const CaseReport& row, OperatorClass operator_class) {
  Seconds time;
  for (const ClassShare& share : row.result.breakdown)
    if (share.operator_class == operator_class) time += share.time;
  return time;
}

TextTable table_of_shares(const RunReport& report) {
  std::vector<ClassColumn> present;
  for (const ClassColumn& column : kClassColumns)
    if (std::any_of(report.cases.begin(), report.cases.end(), [&](const CaseReport& row) {
          return time_of(row, column.operator_class) > Seconds{};
        }))
      present.push_back(column);

  TextTable table;
  table.columns = {{"% of the step", Alignment::kLeft}};
  for (const ClassColumn& column : present) table.columns.push_back({std::string{column.heading}});
  table.columns.push_back({"idle"});
  for (const CaseReport& row : report.cases) {
    const auto cell = [&](Seconds time) {
      return time > Seconds{} ? percent(time / row.result.step_time) : std::string{kNone};
    };
    std::vector<std::string> cells = {row.name};
    for (const ClassColumn& column : present)
      cells.push_back(cell(time_of(row, column.operator_class)));
    cells.push_back(cell(row.result.idle));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

/// The constants once when all cases share them, else case by case.
TextTable table_of_constants(const RunReport& report) {
  const auto cells_of = [](const CaseReport& row) {
    std::vector<std::vector<std::string>> cells;
    const auto add = [&](const char* name, const Constant& constant) {
      cells.push_back({name, fixed(constant.value, 3), provenance_name(constant.provenance),
                       fmt::format("{:g} to {:g}", constant.lowest, constant.highest)});
    };
    add("matmul efficiency", row.matmul_efficiency);
    add("memory efficiency", row.memory_efficiency);
    if (row.sustained_speed.lowest > 0.0) add("sustained speed", row.sustained_speed);
    if (row.host_launch.highest > Seconds{}) {
      const auto us = [](Seconds time) { return 1e6 * time.base(); };
      cells.push_back(
          {"host launch (us)", fixed(us(row.host_launch.value), 1),
           provenance_name(row.host_launch.provenance),
           fmt::format("{:g} to {:g}", us(row.host_launch.lowest), us(row.host_launch.highest))});
    } else {
      add("one-hot passes", row.one_hot_passes);
    }
    if (row.step_interval)
      cells.push_back(
          {"step interval", "1", provenance_name(row.step_interval->provenance),
           fmt::format("{:g} to {:g}", row.step_interval->low, row.step_interval->high)});
    return cells;
  };

  TextTable table;
  table.columns = {{"constant", Alignment::kLeft},
                   {"value"},
                   {"provenance", Alignment::kLeft},
                   {"plausible", Alignment::kLeft}};
  table.rows = cells_of(report.cases.front());
  if (std::all_of(report.cases.begin(), report.cases.end(),
                  [&](const CaseReport& row) { return cells_of(row) == table.rows; }))
    return table;

  table.columns.insert(table.columns.begin(), {"case", Alignment::kLeft});
  table.rows.clear();
  for (const CaseReport& row : report.cases)
    for (std::vector<std::string> cells : cells_of(row)) {
      cells.insert(cells.begin(), row.name);
      table.rows.push_back(std::move(cells));
    }
  return table;
}

/// "burst" where all cases are; each case's where they differ; empty without measured kernels.
std::string kernel_speeds(const RunReport& report) {
  const std::string& first = report.cases.front().speed;
  if (std::ranges::all_of(report.cases, [&](const auto& row) { return row.speed == first; }))
    return first;
  std::vector<std::string> texts;
  for (const CaseReport& row : report.cases)
    if (!row.speed.empty()) texts.push_back(fmt::format("{} {}", row.name, row.speed));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::string format_table(const RunReport& report) {
  std::string text = report.experiment;
  if (!report.title.empty()) text += ": " + report.title;
  text += fmt::format("\nengine {}, seed {}\n", engine_name(report.engine), report.seed);
  if (report.cases.empty()) return text + "\nno cases\n";
  if (const std::string speeds = kernel_speeds(report); !speeds.empty())
    text += fmt::format("times of measured kernels: {}\n", speeds);

  const auto add = [&text](const std::string& part) {
    text += '\n';
    text += part;
  };
  add(format(table_of_cases(report), kTerminalWidth));
  for (const CaseReport& row : report.cases)
    if (!row.anchored_to.empty())
      text += fmt::format(
          "{} is anchored to {}: times are multiplied by class; MFU is of the multiplied times, "
          "and "
          "intervals are multiplied with them.\n",
          row.name, row.anchored_to);
  if (any_published(report)) add(text_of_errors(report));
  if (!report.ratios.empty()) add(format(table_of_ratios(report.ratios), kTerminalWidth));
  if (!report.leave_one_out.empty()) add(format(table_of_leave_one_out(report), kTerminalWidth));
  add(format(table_of_shares(report), kTerminalWidth));
  const TextTable savings = table_of_savings(report);
  if (!savings.rows.empty()) add(format(savings, kTerminalWidth));
  add(format(table_of_constants(report), kTerminalWidth));
  const TextTable evidence = table_of_evidence(report);
  if (!evidence.rows.empty()) add(format(evidence, kTerminalWidth));
  return text;
}

}  // namespace switchyard
