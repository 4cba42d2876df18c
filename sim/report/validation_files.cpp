#include "sim/report/validation_files.hpp"

#include <fmt/format.h>

#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/prediction_error.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

std::string number(double value) { return fmt::format("{}", value); }

constexpr std::string_view kHeader =
    "area,case,role,kernel_data,measure,published,predicted,error_fraction,"
    "lowest_error_fraction,highest_error_fraction,fits_in_memory,published_examples_per_s,"
    "predicted_examples_per_s,published_mfu,source\n";

std::string line_of(const ValidationBlock& block, const ValidationRow& row) {
  const std::optional<ErrorSpread> spread = error_spread(row);
  std::string line;
  for (const std::string& cell :
       {block.area, row.name, std::string{role_name(row.published.role)},
        std::string{kernel_data_name(row.kernel_data)},
        std::string{measure_key(row.published.measure)}, number(row.published.value),
        number(predicted_figure(row)), number(row_error(row)), spread ? number(spread->lowest) : "",
        spread ? number(spread->highest) : "", std::string{row.fits_in_memory ? "yes" : "no"},
        number(row.published.examples_rate.base()), number(row.predicted.base()),
        number(row.published_mfu)})
    line += csv_quoted(cell) + ",";
  return line + csv_quoted(row.published.source) + "\n";
}

Json row_json(const ValidationRow& row) {
  Json open = Json::array();
  for (const OpenOutcome& outcome : row.open)
    open.push_back({{"name", outcome.name},
                    {"error_fraction", outcome.error},
                    {"fits_in_memory", outcome.fits_in_memory}});
  return {{"name", row.name},
          {"role", role_name(row.published.role)},
          {"kernel_data", kernel_data_name(row.kernel_data)},
          {"measure", measure_key(row.published.measure)},
          {"published", row.published.value},
          {"predicted", predicted_figure(row)},
          {"error_fraction", row_error(row)},
          {"open", std::move(open)},
          {"fits_in_memory", row.fits_in_memory},
          {"published_examples_per_s", row.published.examples_rate.base()},
          {"predicted_examples_per_s", row.predicted.base()},
          {"published_mfu", row.published_mfu},
          {"why", row.why},
          {"source", row.published.source}};
}

/// null without errors.
Json errors_json(const std::vector<NamedError>& errors) {
  if (errors.empty()) return nullptr;
  const AbsoluteErrors summary = absolute_errors(errors);
  return {{"num_rows", summary.num_rows},
          {"median_absolute_error_fraction", summary.median},
          {"p90_absolute_error_fraction", summary.p90},
          {"worst_error_fraction", summary.worst},
          {"worst_row", summary.worst_name}};
}

Json summary_json(const ValidationBlock& block) {
  Json summary = errors_json(model_errors(block, Role::kPredicted));
  if (summary.is_null()) return summary;
  const PairOrder order = pair_order(block);
  summary["best_constant_mfu"] = errors_json(constant_mfu_errors(block));
  summary["num_pairs"] = order.num_pairs;
  summary["num_pairs_in_order"] = order.num_right;
  return summary;
}

Json block_json(const ValidationBlock& block) {
  Json rows = Json::array();
  for (const ValidationRow& row : block.rows) rows.push_back(row_json(row));
  return {{"area", block.area},
          {"title", block.title},
          {"seed", block.seed},
          {"rows", std::move(rows)},
          {"summary", summary_json(block)},
          {"ratios", to_json(block.ratios)}};
}

}  // namespace

std::string to_csv(const ValidationReport& report) {
  const BuildInfo build = build_info();
  std::string text = fmt::format("# switchyard {} git={} engine={}\n", build.version,
                                 build.git_hash, engine_name(report.engine));
  text += kHeader;
  for (const ValidationBlock& block : report.blocks)
    for (const ValidationRow& row : block.rows) text += line_of(block, row);
  return text;
}

Json to_json(const ValidationReport& report) {
  const BuildInfo build = build_info();
  Json files = Json::array();
  for (const ValidationBlock& block : report.blocks) files.push_back(block_json(block));
  return {
      {"switchyard",
       {{"version", build.version}, {"git_hash", build.git_hash}, {"compiler", build.compiler}}},
      {"engine", engine_name(report.engine)},
      {"files", std::move(files)},
      {"areas", areas_json(report.areas)}};
}

}  // namespace switchyard
