#include "sim/cli/layer_report.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/core/version.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kWidth = 100;

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

std::string line(const char* name, const Constant& c) {
  return fmt::format("{}: {{value: {:.6g}, provenance: {}, range: [{:.6g}, {:.6g}]}}\n", name,
                     c.value, provenance_name(c.provenance), c.lowest, c.highest);
}

template <class Unit>
std::string line(const char* name, const QuantityConstant<Unit>& c, const char* unit,
                 double units_per_base) {
  const auto number = [&](Unit value) { return value.base() * units_per_base; };
  return fmt::format("{}: {{value: {:.6g} {}, provenance: {}, range: [{:.6g} {}, {:.6g} {}]}}\n",
                     name, number(c.value), unit, provenance_name(c.provenance), number(c.lowest),
                     unit, number(c.highest), unit);
}

void add_errors(TextTable& table, std::span<const LayerRow> rows, SplitRole role) {
  const HeldOutError error = layer_error(rows, role);
  if (error.rows == 0) return;
  const LayerRow* worst = nullptr;
  for (const LayerRow& row : rows)
    if (row.measured.role == role &&
        (worst == nullptr || std::abs(row.error()) > std::abs(worst->error())))
      worst = &row;
  const HeldOutError roofline = layer_error(rows, role, &LayerRow::roofline_error);
  const HeldOutError constant = layer_error(rows, role, &LayerRow::constant_error);
  table.rows.push_back({split_role_name(role), fmt::format("{}", error.rows), percent(error.median),
                        percent(error.p90), fmt::format("{:+.1f} %", 100 * worst->error()),
                        layer_name(worst->measured.shape), percent(roofline.median),
                        percent(roofline.p90), percent(constant.median)});
}

}  // namespace

std::string layer_tables(std::span<const LayerRow> rows, const MoeLayerStack& stack) {
  const auto left = [](const char* heading) {
    return TableColumn{.heading = heading, .alignment = Alignment::kLeft};
  };
  TextTable table{.columns = {left("rows"),
                              {.heading = "number"},
                              {.heading = "median"},
                              {.heading = "p90"},
                              {.heading = "worst"},
                              left("of one rank"),
                              {.heading = "roofline:\nmedian"},
                              {.heading = "p90"},
                              {.heading = "constant:\nmedian"}},
                  .rows = {}};
  for (const SplitRole role : {SplitRole::kFit, SplitRole::kDevelopment, SplitRole::kSealed})
    add_errors(table, rows, role);
  return fmt::format(
      "{} on {}: error of the time; roofline: datasheet roofline x one efficiency; constant: one "
      "rate\n{}\n{}",
      stack.name, stack.device, format(table, kWidth), layer_constants_yaml(rows, stack, {}));
}

void write_layer_csv(std::ostream& out, std::span<const LayerRow> rows) {
  const BuildInfo build = build_info();
  fmt::print(out,
             "# switchyard {} git={} fit layers\n"
             "library,tokens,tensor_ranks,expert_ranks,role,measured_us,predicted_us,roofline_us,"
             "constant_us\n",
             build.version, build.git_hash);
  for (const LayerRow& row : rows) {
    const StackLayerShape& shape = row.measured.shape;
    fmt::print(out, "{},{},{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", row.measured.library,
               shape.tokens, shape.tensor_ranks, shape.expert_ranks,
               split_role_name(row.measured.role), row.measured.time.base() * 1e6,
               row.predicted.base() * 1e6, row.roofline.base() * 1e6, row.constant.base() * 1e6);
  }
}

std::string layer_constants_yaml(std::span<const LayerRow> rows, const MoeLayerStack& stack,
                                 const std::vector<std::string>& sources) {
  std::string text;
  if (!sources.empty()) {
    text = "# docs/layer_calibration.md has the model. The measurements:\n";
    for (const std::string& source : sources) text += source + "\n";
    const HeldOutError fitted = layer_error(rows, SplitRole::kFit);
    const HeldOutError held_out = layer_error(rows, SplitRole::kDevelopment);
    text += fmt::format(
        "# {} rows fitted to; {} predicted: median {}, p90 {} (sealed rows: CHANGELOG.md).\n",
        fitted.rows, held_out.rows, percent(held_out.median), percent(held_out.p90));
  }
  return text + line("matmul_efficiency", stack.matmul_efficiency) +
         line("streaming_efficiency", stack.streaming_efficiency) +
         line("load_rate", stack.load_rate, "GB/s", 1e-9) +
         line("hidden_share", stack.hidden_share) +
         line("layer_overhead", stack.layer_overhead, "us", 1e6);
}

TextMarks layer_marks() {
  return {.begin = "# begin: switchyard fit layers\n", .end = "# end: switchyard fit layers\n"};
}

}  // namespace switchyard
