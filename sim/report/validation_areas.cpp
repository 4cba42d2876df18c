#include "sim/report/validation_areas.hpp"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/text_table.hpp"
#include "sim/report/validation_report.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTerminalWidth = 110;

const char* role_of(bool is_fit) { return is_fit ? "fit" : "predicted"; }

std::string percent(double fraction) { return fmt::format("{:.1f}", 100.0 * fraction); }

/// "baseline: roofline x one efficiency (GEMM, ...)": a line for each that there is.
std::string baselines_text(std::span<const ValidationArea> areas) {
  std::map<std::string, std::vector<std::string>> areas_by_baseline;
  for (const ValidationArea& area : areas) areas_by_baseline[area.baseline].push_back(area.name);
  std::string text;
  for (const auto& [baseline, names] : areas_by_baseline)
    text += fmt::format("baseline of {}: {}\n", fmt::join(names, ", "), baseline);
  return text;
}

Json summary_json(const AreaErrors& errors) {
  if (errors.model.num_rows == 0) return nullptr;
  return {{"num_rows", errors.model.num_rows},
          {"median_absolute_error_fraction", errors.model.median},
          {"p90_absolute_error_fraction", errors.model.p90},
          {"worst_error_fraction", errors.model.worst},
          {"worst_row", errors.model.worst_name},
          {"baseline_median_absolute_error_fraction", errors.baseline.median},
          {"baseline_p90_absolute_error_fraction", errors.baseline.p90}};
}

}  // namespace

AreaErrors area_errors(const ValidationArea& area, bool is_fit) {
  std::vector<NamedError> model;
  std::vector<NamedError> baseline;
  for (const AreaRow& row : area.rows) {
    if (row.is_fit != is_fit) continue;
    model.push_back({row.name, row.error()});
    baseline.push_back({row.name, row.baseline_error()});
  }
  return {absolute_errors(model), absolute_errors(baseline)};
}

std::string areas_table(std::span<const ValidationArea> areas) {
  if (areas.empty()) return "";
  TextTable table;
  table.columns = {{"area", Alignment::kLeft},
                   {"row", Alignment::kLeft},
                   {"n"},
                   {"median\n%"},
                   {"p90\n%"},
                   {"worst\n%"},
                   {"worst row", Alignment::kLeft},
                   {"baseline\nmedian %"},
                   {"p90\n%"}};
  for (const bool is_fit : {false, true})
    for (const ValidationArea& area : areas) {
      const AreaErrors errors = area_errors(area, is_fit);
      if (errors.model.num_rows == 0) continue;
      table.rows.push_back({area.name, role_of(is_fit), fmt::format("{}", errors.model.num_rows),
                            percent(errors.model.median), percent(errors.model.p90),
                            fmt::format("{:+.1f}", 100.0 * errors.model.worst),
                            errors.model.worst_name, percent(errors.baseline.median),
                            percent(errors.baseline.p90)});
    }
  return "\nPublished kernels and transfers; here an error is that of the time, so + is too "
         "slow\n\n" +
         format(table, kTerminalWidth) + baselines_text(areas) +
         "UNPROVEN ON GPU: all of these are other people's kernels. Ours have not been measured on "
         "a "
         "GPU.\n";
}

Json areas_json(std::span<const ValidationArea> areas) {
  Json all = Json::array();
  for (const ValidationArea& area : areas) {
    Json rows = Json::array();
    for (const AreaRow& row : area.rows)
      rows.push_back({{"name", row.name},
                      {"role", role_of(row.is_fit)},
                      {"measured_s", row.measured.base()},
                      {"predicted_s", row.predicted.base()},
                      {"baseline_s", row.baseline.base()}});
    all.push_back({{"area", area.name},
                   {"baseline", area.baseline},
                   {"predicted", summary_json(area_errors(area, false))},
                   {"fit", summary_json(area_errors(area, true))},
                   {"rows", std::move(rows)}});
  }
  return all;
}

std::string areas_csv(std::span<const ValidationArea> areas) {
  const BuildInfo build = build_info();
  std::string text =
      fmt::format("# switchyard {} git={} validate\n", build.version, build.git_hash);
  text += "area,row,role,measured_us,predicted_us,baseline_us\n";
  for (const ValidationArea& area : areas)
    for (const AreaRow& row : area.rows)
      text += fmt::format("{},{},{},{:.6g},{:.6g},{:.6g}\n", csv_quoted(area.name),
                          csv_quoted(row.name), role_of(row.is_fit), row.measured.base() * 1e6,
                          row.predicted.base() * 1e6, row.baseline.base() * 1e6);
  return text;
}

}  // namespace switchyard
