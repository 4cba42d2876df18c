#include "sim/cli/calibration/calibration_report.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "sim/cli/calibration/coverage_warning.hpp"
#include "sim/core/version.hpp"
#include "sim/report/csv_text.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 140;
constexpr double kLargestDrift = 0.10;

std::string percent(double share) { return fmt::format("{:.1f}", 100.0 * share); }

const char* role_name(PointRole role) {
  switch (role) {
    case PointRole::kFit:
      return "fit";
    case PointRole::kHeldOut:
      return "held_out";
    case PointRole::kLayer:
      return "layer";
  }
  return "";
}

std::string row_text(const CalibrationRow& row) {
  std::string text = row.shape;
  if (row.type == "bfloat16") text += " bf16";
  if (row.ranks > 1) text += fmt::format(" {} ranks", row.ranks);
  if (row.busy_ranks > 1) text += fmt::format(" {} busy", row.busy_ranks);
  if (row.threads > 1) text += fmt::format(" {} threads", row.threads);
  return text;
}

std::string baseline_text(const KernelErrors& error) {
  return error.points == 0 ? "-" : percent(error.median);
}

std::string error_table(const std::vector<CalibrationRow>& rows, PointRole role,
                        const char* heading) {
  TextTable table;
  table.columns = {{heading, Alignment::kLeft},
                   {"n fit"},
                   {role == PointRole::kFit ? "n" : "n not\nfitted"},
                   {"noise\n%"},
                   {"median\n%"},
                   {"p90\n%"},
                   {"worst\n%"},
                   {"roofline\nmedian %"},
                   {"constant\nmedian %"},
                   {"in 90 %\ninterval %"},
                   {"worst is", Alignment::kLeft}};
  for (const OperatorErrors& errors : operator_errors(rows, role)) {
    if (errors.held_out == 0) continue;
    table.rows.push_back(
        {errors.name, fmt::format("{}", errors.fitted), fmt::format("{}", errors.held_out),
         errors.noise > 0 ? percent(errors.noise) : "-", percent(errors.error.median),
         percent(errors.error.p90), fmt::format("{:+.1f}", 100.0 * errors.worst->error()),
         baseline_text(errors.roofline), baseline_text(errors.constant),
         fmt::format("{:.0f}", 100.0 * errors.coverage), row_text(*errors.worst)});
  }
  return table.rows.empty() ? "" : format(table, kWidth);
}

Json summary_json(const KernelErrors& error) {
  return {{"points", error.points},
          {"median", error.median},
          {"p90", error.p90},
          {"largest", error.largest}};
}

Json errors_json(const std::vector<CalibrationRow>& rows, PointRole role) {
  Json list = Json::array();
  for (const OperatorErrors& errors : operator_errors(rows, role)) {
    if (errors.held_out == 0) continue;
    list.push_back({{"operator", errors.name},
                    {"fitted", errors.fitted},
                    {"noise", errors.noise},
                    {"error", summary_json(errors.error)},
                    {"worst", row_text(*errors.worst)},
                    {"roofline", summary_json(errors.roofline)},
                    {"constant", summary_json(errors.constant)},
                    {"coverage", errors.coverage}});
  }
  return list;
}

std::vector<CalibrationRow> rows_of(const CalibrationReport& report, bool of_layers) {
  std::vector<CalibrationRow> rows;
  std::ranges::copy_if(report.rows, std::back_inserter(rows), [of_layers](const auto& row) {
    return (row.role == PointRole::kLayer) == of_layers;
  });
  return rows;
}

bool has_held_out(const std::vector<CalibrationRow>& rows) {
  return std::ranges::find(rows, PointRole::kHeldOut, &CalibrationRow::role) != rows.end();
}

}  // namespace

std::string drift_warning(const MeasuredDevice& measured) {
  if (measured.drift < kLargestDrift) return "";
  return fmt::format(
      "warning: a reference product took {:.0f} % longer at one time of the measurement than at "
      "another: clocks changed, or other programs ran. Predictions are for the fastest speed, to "
      "which each time is scaled by the reference beside it (the points file has them as "
      "measured); "
      "measure again on a quiet machine.\n",
      100.0 * measured.drift);
}

std::string format_calibration(const CalibrationReport& report) {
  const std::vector<CalibrationRow> kernels = rows_of(report, false);
  const std::vector<CalibrationRow> layers = rows_of(report, true);
  std::string text = fmt::format("{}: {}, {}, {}\n", report.name, report.measured.device,
                                 report.measured.software, report.measured.started);
  text += has_held_out(kernels)
              ? "Points that were held out of the fit:\n" +
                    error_table(kernels, PointRole::kHeldOut, "operator")
              : "No point was held out: the errors are of points that were fitted to.\n" +
                    error_table(kernels, PointRole::kFit, "operator");
  if (!layers.empty())
    text += "Whole layers, never fitted to, as the simulator predicts them:\n" +
            error_table(layers, PointRole::kLayer, "layer");
  text += fmt::format("noise: median difference of two passes over a point; drift {:.0f} %\n",
                      100.0 * report.measured.drift);
  return text + coverage_warning(kernels) + drift_warning(report.measured);
}

std::string calibration_csv(const CalibrationReport& report) {
  const BuildInfo build = build_info();
  std::string text = fmt::format("# switchyard {} git={} profile={}\n", build.version,
                                 build.git_hash, csv_comment(report.name));
  text +=
      "operator,type,shape,transport,ranks,busy_ranks,threads,role,provenance,predicted_s,"
      "measured_s,low_s,high_s,pass_ratio,roofline_s,constant_s\n";
  for (const CalibrationRow& row : report.rows)
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{:.9g},{:.9g},{:.9g},{:.9g},{:.6g},{:.9g},{:.9g}\n", row.name,
        row.type, csv_quoted(row.shape), row.transport, row.ranks, row.busy_ranks, row.threads,
        role_name(row.role), provenance_name(row.provenance), row.predicted.base(),
        row.measured.base(), row.low.base(), row.high.base(), row.pass_ratio, row.roofline.base(),
        row.constant.base());
  return text;
}

Json calibration_json(const CalibrationReport& report) {
  const std::vector<CalibrationRow> kernels = rows_of(report, false);
  Json rows = Json::array();
  for (const CalibrationRow& row : report.rows)
    rows.push_back({{"operator", row.name},
                    {"type", row.type},
                    {"shape", row.shape},
                    {"transport", row.transport},
                    {"ranks", row.ranks},
                    {"busy_ranks", row.busy_ranks},
                    {"threads", row.threads},
                    {"role", role_name(row.role)},
                    {"provenance", provenance_name(row.provenance)},
                    {"predicted_s", row.predicted.base()},
                    {"measured_s", row.measured.base()},
                    {"low_s", row.low.base()},
                    {"high_s", row.high.base()}});
  return {{"profile", report.name},
          {"device", report.measured.device},
          {"software", report.measured.software},
          {"started", report.measured.started},
          {"drift", report.measured.drift},
          {"operators",
           errors_json(kernels, has_held_out(kernels) ? PointRole::kHeldOut : PointRole::kFit)},
          {"layers", errors_json(rows_of(report, true), PointRole::kLayer)},
          {"rows", rows}};
}

}  // namespace switchyard
