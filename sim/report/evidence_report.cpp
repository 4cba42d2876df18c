#include "sim/report/evidence_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;
using Cells = std::vector<std::string>;

bool has_kernels(const CaseReport& row) { return row.evidence && row.evidence->has_kernels; }

std::string name_of(int provenance) { return provenance_name(static_cast<Provenance>(provenance)); }

Provenance worst_of(const TimeSources& sources) {
  Provenance worst = Provenance::kMeasured;
  for (int p = 0; p < kNumProvenances; ++p)
    if (sources.by_provenance.at(static_cast<std::size_t>(p)) > Seconds{})
      worst = static_cast<Provenance>(p);
  return worst;
}

Json class_json(const ClassShare& share) {
  Json json = {{"class", class_name(share.operator_class)},
               {"time_s", share.time.base()},
               {"interval_s", Json::array({share.sources.low.base(), share.sources.high.base()})},
               {"worst", provenance_name(worst_of(share.sources))}};
  for (int p = 0; p < kNumProvenances; ++p)
    if (const Seconds time = share.sources.by_provenance.at(static_cast<std::size_t>(p));
        time > Seconds{})
      json[name_of(p) + "_s"] = time.base();
  return json;
}

std::string number(double value) { return fmt::format("{}", value); }

/// A line of the table: a time, its interval and where it comes from.
Cells line_of(std::string what, Seconds time, const TimeSources& sources) {
  const auto ms = [](Seconds t) { return fmt::format("{:.4g}", 1e3 * t.base()); };
  Cells cells{std::move(what), ms(time),
              fmt::format("{} to {}", ms(sources.low), ms(sources.high))};
  for (const Seconds part : sources.by_provenance)
    cells.push_back(
        part > Seconds{} && time > Seconds{} ? fmt::format("{:.0f}", 100.0 * (part / time)) : "-");
  cells.emplace_back(provenance_name(worst_of(sources)));
  return cells;
}

/// The step as one line, its parts in proportion to the whole of it.
TimeSources sources_of_step(const CaseReport& row) {
  TimeSources sources{.low = row.evidence->low, .high = row.evidence->high};
  for (std::size_t p = 0; p < sources.by_provenance.size(); ++p)
    sources.by_provenance.at(p) = row.evidence->shares.at(p) * row.result.step_time;
  return sources;
}

}  // namespace

Json evidence_json(const CaseReport& row) {
  SWITCHYARD_CHECK(has_kernels(row), "'{}' has no kernels", row.name);
  const StepEvidence& evidence = *row.evidence;
  Json json = {{"worst", provenance_name(evidence.worst)}};
  for (int p = 0; p < kNumProvenances; ++p)
    json[name_of(p) + "_fraction"] = evidence.shares.at(static_cast<std::size_t>(p));
  json["classes"] = Json::array();
  for (const ClassShare& share : row.result.breakdown) json["classes"].push_back(class_json(share));
  json["unproven"] = Json::array();
  for (const UnprovenTime& part : evidence.unproven)
    json["unproven"].push_back({{"name", part.name},
                                {"provenance", provenance_name(part.provenance)},
                                {"step_fraction", part.share_of_step}});
  return json;
}

Cells evidence_columns(const RunReport& report) {
  Cells columns;
  if (std::ranges::any_of(report.cases, [](const CaseReport& c) { return c.evidence.has_value(); }))
    columns = {"step_time_low_s", "step_time_high_s"};
  if (!std::ranges::any_of(report.cases, has_kernels)) return columns;
  for (int p = 0; p < kNumProvenances; ++p) columns.push_back(name_of(p) + "_fraction");
  columns.emplace_back("worst_provenance");
  return columns;
}

Cells evidence_cells(const RunReport& report, const CaseReport& row) {
  Cells cells;
  if (row.evidence) {
    cells = {number(row.evidence->low.base()), number(row.evidence->high.base())};
    if (row.evidence->has_kernels) {
      for (const double share : row.evidence->shares) cells.push_back(number(share));
      cells.emplace_back(provenance_name(row.evidence->worst));
    }
  }
  cells.resize(evidence_columns(report).size());
  return cells;
}

TextTable table_of_evidence(const RunReport& report) {
  TextTable table;
  table.columns = {
      {"where times come from", Alignment::kLeft}, {"time\nms"}, {"90 % interval\nms"}};
  for (int p = 0; p < kNumProvenances; ++p)
    table.columns.push_back({(name_of(p) == "extrapolated" ? "extrapo-\nlated"
                              : name_of(p) == "datasheet"  ? "data-\nsheet"
                                                           : name_of(p) + "\n%")});
  table.columns.push_back({"worst", Alignment::kLeft});
  for (const CaseReport& row : report.cases) {
    if (!has_kernels(row)) continue;
    table.rows.push_back(line_of(row.name, row.result.step_time, sources_of_step(row)));
    for (const ClassShare& share : row.result.breakdown)
      table.rows.push_back(
          line_of("  " + std::string{class_name(share.operator_class)}, share.time, share.sources));
  }
  return table;
}

}  // namespace switchyard
