#include "sim/cli/gemm_report.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "sim/cli/marked_text.hpp"
#include "sim/core/version.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kWidth = 100;

const char* type_name(MatmulType type) { return type == MatmulType::kFp8 ? "fp8" : "bfloat16"; }

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

std::string microseconds(Seconds time) { return fmt::format("{:.3g} us", time.base() * 1e6); }
std::string gigabytes(BytesPerSecond rate) { return fmt::format("{:.3g} GB/s", rate.base() / 1e9); }

/// A number as a profile has it: no digits beyond the three of a fit, none lost of a bound.
std::string number(double value) { return fmt::format("{:.6g}", value); }

std::string braces(const std::string& value, Provenance provenance, const std::string& lowest,
                   const std::string& highest) {
  return fmt::format("{{value: {}, provenance: {}, range: [{}, {}]}}", value,
                     provenance_name(provenance), lowest, highest);
}

std::string braces(const Constant& c) {
  return braces(number(c.value), c.provenance, number(c.lowest), number(c.highest));
}

template <class Unit, class Text>
std::string braces(const QuantityConstant<Unit>& c, Text text) {
  return braces(text(c.value), c.provenance, text(c.lowest), text(c.highest));
}

/// Of one type and role: rows, errors, the row that is furthest off, and the baseline's errors.
std::vector<std::string> error_cells(const std::vector<GemmRow>& rows, MatmulType type,
                                     bool is_held_out) {
  const HeldOutError error = gemm_error(rows, type, is_held_out);
  const HeldOutError baseline = gemm_error(rows, type, is_held_out, true);
  const GemmRow* worst = nullptr;
  for (const GemmRow& row : rows)
    if (row.measured.matmul.type == type && row.is_held_out == is_held_out &&
        (worst == nullptr || std::abs(row.error()) > std::abs(worst->error())))
      worst = &row;
  return {fmt::format("{}", error.rows),
          percent(error.median),
          percent(error.p90),
          worst == nullptr ? "" : fmt::format("{:+.1f} %", 100 * worst->error()),
          worst == nullptr ? "" : gemm_name(worst->measured.matmul),
          percent(baseline.median),
          percent(baseline.p90)};
}

bool has_fp8(const GemmFit& fit) {
  return std::ranges::any_of(
      fit.rows, [](const GemmRow& row) { return row.measured.matmul.type == MatmulType::kFp8; });
}

std::string commented_errors(const GemmFit& fit, MatmulType type, const char* rule) {
  const HeldOutError fitted = gemm_error(fit.rows, type, false);
  const HeldOutError held_out = gemm_error(fit.rows, type, true);
  const HeldOutError once = gemm_error(fit.each_held_out_once, type, true);
  return fmt::format(
      "# {}: {} rows fitted to, {} held out ({}), there\n"
      "# median {:.1f} %, p90 {:.1f} %; each row held out once: median {:.1f} %, p90 {:.1f} %.\n",
      type_name(type), fitted.rows, held_out.rows, rule, 100 * held_out.median, 100 * held_out.p90,
      100 * once.median, 100 * once.p90);
}

}  // namespace

std::string gemm_tables(const GemmFit& fit) {
  const auto left = [](const char* heading) {
    return TableColumn{.heading = heading, .alignment = Alignment::kLeft};
  };
  TextTable table{.columns = {left("type"),
                              left("rows"),
                              {.heading = "number"},
                              {.heading = "median"},
                              {.heading = "p90"},
                              {.heading = "worst"},
                              left("m x n x k"),
                              {.heading = "baseline:\nmedian"},
                              {.heading = "p90"}},
                  .rows = {}};
  const auto add = [&](MatmulType type, const char* what, const std::vector<GemmRow>& rows,
                       bool is_held_out) {
    std::vector<std::string> cells{type_name(type), what};
    for (std::string& cell : error_cells(rows, type, is_held_out)) cells.push_back(std::move(cell));
    table.rows.push_back(std::move(cells));
  };
  for (const MatmulType type : {MatmulType::kBfloat16, MatmulType::kFp8}) {
    if (type == MatmulType::kFp8 && !has_fp8(fit)) continue;
    add(type, "fitted to", fit.rows, false);
    add(type, "held out", fit.rows, true);
    add(type, "each held out once", fit.each_held_out_once, true);
  }
  return fmt::format("{}: error of the time; baseline: datasheet roofline x one efficiency\n{}\n{}",
                     fit.device.name, format(table, kWidth), gemm_constants_yaml(fit, {}));
}

void write_gemm_csv(std::ostream& out, const GemmFit& fit) {
  const auto build = build_info();
  fmt::print(out,
             "# switchyard {} git={} fit gemm\n"
             "type,library,m,n,k,role,measured_us,predicted_us,baseline_us\n",
             build.version, build.git_hash);
  for (const GemmRow& row : fit.rows) {
    const Matmul& m = row.measured.matmul;
    fmt::print(out, "{},{},{},{},{},{},{:.6g},{:.6g},{:.6g}\n", type_name(m.type),
               row.measured.library, m.rows, m.columns, m.contraction,
               row.is_held_out ? "held_out" : "fit", row.measured.time.base() * 1e6,
               row.predicted.base() * 1e6, row.baseline.base() * 1e6);
  }
}

std::string gemm_constants_yaml(const GemmFit& fit, const std::vector<std::string>& sources) {
  const MatmulModel& model = *fit.device.matmul_model;
  std::string text;
  if (!sources.empty()) {
    text += fmt::format("# docs/gemm_calibration.md has the model. The measurements:\n{}\n",
                        fmt::join(sources, "\n"));
    text += commented_errors(fit, MatmulType::kBfloat16, "every third site n, k");
    if (has_fp8(fit))
      text += commented_errors(fit, MatmulType::kFp8, "every second site n, k") +
              fmt::format("# Their times are of the kernel alone, which starts in {}.\n",
                          microseconds(fit.kernel_start));
  }
  text += fmt::format(
      "operator_overhead: {}  # fitted: what the smallest products take\n"
      "matmul_efficiency: {}\nmatmul_model:\n  streaming_efficiency: {}\n  load_rate: {}\n"
      "  split_startup: {}\n  fill_steps: {}\n  wave_quantization: {}\n",
      microseconds(fit.device.operator_overhead), braces(fit.device.matmul_efficiency),
      braces(model.streaming_efficiency), braces(model.load_rate, gigabytes),
      braces(model.split_startup, microseconds), braces(model.fill_steps),
      braces(model.wave_quantization));
  if (has_fp8(fit))
    text +=
        fmt::format("  fp8:\n    efficiency: {}\n    fill_steps: {}\n    wave_quantization: {}\n",
                    braces(model.fp8.efficiency), braces(model.fp8.fill_steps),
                    braces(model.fp8.wave_quantization));
  return text;
}

std::string with_gemm_constants(const std::string& profile, const std::string& constants,
                                const std::string& file) {
  return with_marked_text(profile, {.begin = kGemmBegin, .end = kGemmEnd}, constants, file);
}

}  // namespace switchyard
