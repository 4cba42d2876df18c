#include "sim/report/validation_markdown.hpp"

#include <fmt/format.h>

#include "sim/report/prediction_error.hpp"

namespace switchyard {
namespace {

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100.0 * fraction); }

std::string line_of(const std::string& what, std::string_view row, const AbsoluteErrors& model,
                    const AbsoluteErrors& baseline) {
  if (model.num_rows == 0) return "";
  const bool has_baseline = baseline.num_rows > 0;
  return fmt::format("| {} | {} | {} | {} | {} | {:+.1f} %, {} | {} | {} |\n", what, model.num_rows,
                     row, percent(model.median), percent(model.p90), 100.0 * model.worst,
                     model.worst_name, has_baseline ? percent(baseline.median) : "-",
                     has_baseline ? percent(baseline.p90) : "-");
}

std::string lines_of_role(const ValidationReport& report, Role role) {
  std::string text;
  for (const ValidationBlock& block : report.blocks)
    text += line_of(
        "steps: " + block.area, role_name(role), absolute_errors(model_errors(block, role)),
        role == Role::kPredicted ? absolute_errors(constant_mfu_errors(block)) : AbsoluteErrors{});
  for (const ValidationArea& area : report.areas) {
    const AreaErrors errors = area_errors(area, role == Role::kFit);
    text += line_of(area.name, role_name(role), errors.model, errors.baseline);
  }
  return text;
}

}  // namespace

std::string validation_markdown(const ValidationReport& report) {
  std::string text =
      "| what | n | rows | median | p90 | worst | baseline: median | p90 |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Role role : {Role::kPredicted, Role::kFit}) text += lines_of_role(report, role);
  return text +
         "\nErrors of steps are of the speed, those of kernels and transfers of the time. "
         "**UNPROVEN ON GPU**: all kernels\nin this table are other people's; ours have not been "
         "measured on a GPU.\n";
}

}  // namespace switchyard
