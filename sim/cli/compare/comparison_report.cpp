#include "sim/cli/compare/comparison_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::size_t kMostUnmapped = 10;
constexpr std::size_t kLongestName = 70;

std::string milliseconds(Seconds time) {
  return time > Seconds{} ? fmt::format("{:.3f}", 1e3 * time.base()) : "-";
}

/// The classes, what they add up to, and the step itself, which is shorter where streams run side
/// by side.
std::vector<ComparedClass> all_rows(const Comparison& comparison) {
  std::vector<ComparedClass> rows = comparison.classes;
  ComparedClass total{"total", {}, {}};
  for (const ComparedClass& c : comparison.classes) {
    total.observed += c.observed;
    total.predicted += c.predicted;
  }
  rows.push_back(total);
  rows.push_back({"step", comparison.observed_step, comparison.predicted_step});
  return rows;
}

}  // namespace

std::string format_comparison(const Comparison& comparison) {
  std::string text = fmt::format("{} beside {}, {}\n", comparison.experiment,
                                 csv_comment(comparison.trace), csv_comment(comparison.step));
  if (!comparison.anchored_to.empty())
    text += fmt::format("the prediction is anchored to {}\n", comparison.anchored_to);
  TextTable table;
  table.columns = {{"class", Alignment::kLeft},
                   {"observed\nms"},
                   {"predicted\nms"},
                   {"observed /\npredicted"},
                   {"share of the\nobserved step %"}};
  for (const ComparedClass& c : all_rows(comparison)) {
    const bool is_both = c.observed > Seconds{} && c.predicted > Seconds{};
    table.rows.push_back(
        {c.name, milliseconds(c.observed), milliseconds(c.predicted),
         is_both ? fmt::format("{:.2f}", c.observed / c.predicted) : "-",
         c.observed > Seconds{}
             ? fmt::format("{:.1f}", 100.0 * (c.observed / comparison.observed_step))
             : "-"});
  }
  text += "\n" + format(table, kWidth);
  if (!comparison.unmapped.empty()) {
    TextTable names;
    names.columns = {{"unmapped kernel", Alignment::kLeft}, {"calls"}, {"ms"}};
    for (const UnmappedKernel& kernel : comparison.unmapped) {
      if (names.rows.size() == kMostUnmapped) break;
      names.rows.push_back({csv_comment(kernel.name.substr(0, kLongestName)),
                            fmt::format("{}", kernel.calls), milliseconds(kernel.time)});
    }
    text += "\n" + format(names, kWidth);
    if (comparison.unmapped.size() > kMostUnmapped)
      text += fmt::format("and {} more\n", comparison.unmapped.size() - kMostUnmapped);
  }
  for (const std::string& note : comparison.notes) text += "\nnote: " + note + "\n";
  return text;
}

std::string comparison_csv(const Comparison& comparison) {
  const BuildInfo build = build_info();
  std::string text =
      fmt::format("# switchyard {} git={} experiment={} trace={}\n", build.version, build.git_hash,
                  csv_comment(comparison.experiment), csv_comment(comparison.trace)) +
      "class,observed_s,predicted_s,observed_over_predicted\n";
  for (const ComparedClass& c : all_rows(comparison))
    text +=
        fmt::format("{},{:.9g},{:.9g},{}\n", c.name, c.observed.base(), c.predicted.base(),
                    c.predicted > Seconds{} ? fmt::format("{:.6g}", c.observed / c.predicted) : "");
  return text;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  using Json = nlohmann::ordered_json;
  const BuildInfo build = build_info();
  Json json;
  json["switchyard"] = {{"version", build.version}, {"git_hash", build.git_hash}};
  json["experiment"] = comparison.experiment;
  json["trace"] = comparison.trace;
  json["step"] = comparison.step;
  if (!comparison.anchored_to.empty()) json["anchored_to"] = comparison.anchored_to;
  json["classes"] = Json::array();
  for (const ComparedClass& c : all_rows(comparison))
    json["classes"].push_back(
        {{"class", c.name},
         {"observed_s", c.observed.base()},
         {"predicted_s", c.predicted.base()},
         {"observed_over_predicted",
          c.predicted > Seconds{} ? Json(c.observed / c.predicted) : Json()}});
  json["unmapped"] = Json::array();
  for (const UnmappedKernel& kernel : comparison.unmapped)
    json["unmapped"].push_back(
        {{"name", kernel.name}, {"calls", kernel.calls}, {"time_s", kernel.time.base()}});
  json["notes"] = comparison.notes;
  return json;
}

}  // namespace switchyard
