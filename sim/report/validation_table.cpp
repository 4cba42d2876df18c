#include "sim/report/validation_table.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/report/prediction_error.hpp"
#include "sim/report/ratio_table.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kTerminalWidth = 110;
constexpr double kFarOff = 0.20;
constexpr std::string_view kNone = "-";

std::string percent(double fraction) { return fmt::format("{:.1f}", 100.0 * fraction); }

std::string spread_text(const ValidationRow& row) {
  const std::optional<ErrorSpread> spread = error_spread(row);
  if (!spread) return std::string{kNone};
  return signed_percent(spread->lowest) + " to " + signed_percent(spread->highest);
}

bool has_one_measure(const ValidationBlock& block) {
  return std::ranges::all_of(block.rows, [&](const ValidationRow& row) {
    return row.published.measure == block.rows.front().published.measure;
  });
}

TextTable table_of_rows(const ValidationBlock& block) {
  const bool one_measure = has_one_measure(block);
  std::string unit;  // over the columns where it is that of all rows, else a column of its own
  if (one_measure) unit = fmt::format("\n{}", measure_unit(block.rows.front().published.measure));
  TextTable table;
  table.columns = {{"case", Alignment::kLeft}, {"published" + unit}, {"predicted" + unit}};
  if (!one_measure) table.columns.push_back({"", Alignment::kLeft});
  table.columns.push_back({"error\n%"});
  table.columns.push_back({"what is open\n%"});
  table.columns.push_back({"row", Alignment::kLeft});
  table.columns.push_back({"kernels", Alignment::kLeft});
  table.columns.push_back({"memory", Alignment::kLeft});
  for (const ValidationRow& row : block.rows) {
    std::vector<std::string> cells = {row.name, fmt::format("{:.4g}", row.published.value),
                                      fmt::format("{:.4g}", predicted_figure(row))};
    if (!one_measure) cells.emplace_back(measure_unit(row.published.measure));
    cells.push_back(signed_percent(row_error(row)));
    cells.push_back(spread_text(row));
    cells.emplace_back(role_name(row.published.role));
    cells.emplace_back(kernel_data_name(row.kernel_data));
    cells.emplace_back(row.fits_in_memory ? "fits" : "too much");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string errors_text(const AbsoluteErrors& errors) {
  return fmt::format("median {} %, p90 {} %, worst {} % ({})", percent(errors.median),
                     percent(errors.p90), signed_percent(errors.worst), errors.worst_name);
}

std::string order_text(const PairOrder& order) {
  if (order.num_pairs == 0) return "";
  return fmt::format(
      "Order: {} of {} pairs ({} %) of predicted rows published more than 5 % apart come in the "
      "right order.\n",
      order.num_right, order.num_pairs,
      percent(static_cast<double>(order.num_right) / order.num_pairs));
}

std::string summary_text(const ValidationBlock& block) {
  const AbsoluteErrors model = absolute_errors(model_errors(block, Role::kPredicted));
  const auto num_fit = model_errors(block, Role::kFit).size();
  if (model.num_rows == 0)
    return "No row was predicted: every published figure here was used to fit, none is evidence.\n";
  std::string text = fmt::format("{} predicted row{}: {}.\n", model.num_rows,
                                 model.num_rows == 1 ? "" : "s", errors_text(model));
  if (const auto baseline = constant_mfu_errors(block); !baseline.empty())
    text +=
        fmt::format("Best constant (one MFU, for each row the geometric mean of all others): {}.\n",
                    errors_text(absolute_errors(baseline)));
  text += order_text(pair_order(block));
  if (num_fit > 0)
    text += fmt::format("{} fit row{} set the constants and {} not counted.\n", num_fit,
                        num_fit == 1 ? "" : "s", num_fit == 1 ? "is" : "are");
  return text;
}

/// The predicted rows that are more than 20 % off, with the reasons that the file gives.
std::string far_off_text(const ValidationBlock& block) {
  std::string text;
  for (const ValidationRow& row : block.rows)
    if (row.published.role == Role::kPredicted && std::abs(row_error(row)) > kFarOff)
      text += fmt::format("  {} ({} %): {}\n", row.name, signed_percent(row_error(row)),
                          row.why.empty() ? "the file gives no reason" : row.why);
  return text.empty() ? text : fmt::format("More than {:.0f} % off:\n{}", 100 * kFarOff, text);
}

std::string block_text(const ValidationBlock& block) {
  std::string text = fmt::format("\n{}: {}\nseed {}\n", block.area, block.title, block.seed);
  if (!block.rows.empty())
    text += fmt::format("\n{}\n{}{}", format(table_of_rows(block), kTerminalWidth),
                        summary_text(block), far_off_text(block));
  if (!block.ratios.empty()) text += '\n' + format(table_of_ratios(block.ratios), kTerminalWidth);
  return text;
}

void add_summary(TextTable& table, const std::string& area, Role role, KernelData data,
                 const std::vector<NamedError>& errors) {
  const AbsoluteErrors summary = absolute_errors(errors);
  if (summary.num_rows == 0) return;
  table.rows.push_back({area, std::string{role_name(role)}, std::string{kernel_data_name(data)},
                        fmt::format("{}", summary.num_rows), percent(summary.median),
                        percent(summary.p90), signed_percent(summary.worst), summary.worst_name});
}

TextTable table_of_blocks(const ValidationReport& report) {
  TextTable table;
  table.columns = {{"area", Alignment::kLeft},
                   {"row", Alignment::kLeft},
                   {"kernels", Alignment::kLeft},
                   {"n"},
                   {"median\n%"},
                   {"p90\n%"},
                   {"worst\n%"},
                   {"worst row", Alignment::kLeft}};
  for (const Role role : {Role::kPredicted, Role::kFit})
    for (const KernelData data : {KernelData::kMeasured, KernelData::kExtrapolated}) {
      std::vector<NamedError> all;
      int num_areas = 0;
      for (const ValidationBlock& block : report.blocks) {
        const std::vector<NamedError> errors = model_errors(block, role, data);
        add_summary(table, block.area, role, data, errors);
        if (!errors.empty()) ++num_areas;
        all.insert(all.end(), errors.begin(), errors.end());
      }
      if (num_areas > 1) add_summary(table, "all", role, data, all);
    }
  return table;
}

}  // namespace

std::string format_table(const ValidationReport& report) {
  std::string text = fmt::format(
      "engine {}; an error is that of the speed, so + is too fast, in whatever measure a source "
      "prints\n",
      engine_name(report.engine));
  for (const ValidationBlock& block : report.blocks) text += block_text(block);
  const TextTable summary = table_of_blocks(report);
  if (!summary.rows.empty()) text += "\nAll files\n\n" + format(summary, kTerminalWidth);
  return text + areas_table(report.areas);
}

}  // namespace switchyard
