#include "sim/planner/fit_gemm.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

#include "cost_models/matmul_time.hpp"
#include "sim/core/error.hpp"
#include "sim/planner/gemm_parameters.hpp"

namespace switchyard {
namespace {

constexpr double kLinearFrom = 0.05;  ///< logarithmic error beyond which rows count less

Bytes operand_bytes(const Matmul& m) {
  return Bytes{m.type == MatmulType::kFp8 ? 1.0 : 2.0} * static_cast<double>(m.contraction);
}

Bytes weight_bytes(const Matmul& m) { return static_cast<double>(m.columns) * operand_bytes(m); }

Bytes all_bytes(const Matmul& m) {
  const auto rows = static_cast<double>(m.rows);
  return weight_bytes(m) + rows * operand_bytes(m) +
         rows * Bytes{2.0 * static_cast<double>(m.columns)};
}

Seconds predict(const GemmMeasurement& row, const FittedGemm& fitted, Bytes cache) {
  return predict_gemm(row, fitted.device, fitted.kernel_start, cache);
}

Seconds predict_baseline(const GemmMeasurement& row, const FittedGemm& fitted, Bytes /*cache*/) {
  return gemm_roofline(row.matmul, fitted.device) / fitted.baseline_efficiency;
}

double three_digits(double value) {
  if (value == 0.0) return 0.0;
  const double scale = std::pow(10.0, 2 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

using Predict = Seconds (*)(const GemmMeasurement&, const FittedGemm&, Bytes);

/// `fitted` with `parameters` fitted to the rows that are not held out.
FittedGemm fit_parameters(std::span<const GemmRow> rows, FittedGemm fitted,
                          const std::vector<GemmParameter>& parameters, Predict predict_row,
                          Bytes cache) {
  const auto cost = [&](const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) parameters[i].set(fitted, values[i]);
    double sum = 0.0;
    for (const GemmRow& row : rows) {
      if (row.is_held_out) continue;
      const double error = std::log(predict_row(row.measured, fitted, cache) / row.measured.time);
      sum += std::sqrt(1.0 + std::pow(error / kLinearFrom, 2)) - 1.0;
    }
    return sum;
  };
  std::vector<SearchRange> ranges;
  for (const GemmParameter& parameter : parameters) ranges.push_back(parameter.range);
  const std::vector<double> best = minimize(cost, ranges);
  for (std::size_t i = 0; i < best.size(); ++i) parameters[i].set(fitted, three_digits(best[i]));
  return fitted;
}

/// Rows of one type by site and rows; the sites whose index modulo `every` is `phase` held out.
std::vector<GemmRow> rows_of(std::span<const GemmMeasurement> measured, MatmulType type, int every,
                             int phase) {
  std::vector<GemmRow> rows;
  for (const GemmMeasurement& row : measured)
    if (row.matmul.type == type) rows.push_back({.measured = row, .predicted = {}, .baseline = {}});
  const auto site = [](const GemmRow& row) {
    return std::tuple{row.measured.matmul.columns, row.measured.matmul.contraction};
  };
  std::ranges::sort(rows, {}, [&](const GemmRow& row) {
    return std::tuple{site(row), row.measured.matmul.rows, row.measured.time};
  });
  int index = -1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || site(rows[i]) != site(rows[i - 1])) ++index;
    rows[i].is_held_out = index % every == phase;
  }
  SWITCHYARD_CHECK(rows.empty() || index + 1 >= every, "{} sites, one of {} held out", index + 1,
                   every);
  return rows;
}

struct PhaseFit {
  FittedGemm fitted;
  std::vector<GemmRow> rows;
};

PhaseFit fit_phase(std::vector<GemmRow> rows, const FittedGemm& start,
                   const std::vector<GemmParameter>& parameters, Bytes cache) {
  FittedGemm fitted = fit_parameters(rows, start, parameters, predict, cache);
  fitted = fit_parameters(rows, fitted, baseline_parameters(), predict_baseline, cache);
  for (GemmRow& row : rows) {
    row.predicted = predict(row.measured, fitted, cache);
    row.baseline = predict_baseline(row.measured, fitted, cache);
  }
  return {fitted, std::move(rows)};
}

}  // namespace

Seconds predict_gemm(const GemmMeasurement& row, const DeviceProfile& device, Seconds kernel_start,
                     Bytes cache) {
  const Matmul& m = row.matmul;
  const bool is_warm = row.method == TimingMethod::kRotatedWeights && all_bytes(m) <= cache;
  const Seconds traffic =
      (is_warm ? weight_bytes(m) : all_bytes(m)) /
      (device.memory_bandwidth * device.matmul_model->streaming_efficiency.value);
  return std::max(tiled_product_time({&m, 1}, device), traffic) +
         (row.method == TimingMethod::kClearedCache ? kernel_start : device.operator_overhead);
}

Seconds gemm_roofline(const Matmul& matmul, const DeviceProfile& device) {
  const FlopPerSecond peak =
      matmul.type == MatmulType::kFp8 ? device.matmul_model->peak_fp8 : device.peak_bfloat16;
  return std::max(matmul_flop(matmul) / peak, all_bytes(matmul) / device.memory_bandwidth);
}

std::string gemm_name(const Matmul& matmul) {
  return fmt::format("{} x {} x {}", matmul.rows, matmul.columns, matmul.contraction);
}

GemmFit fit_gemm(std::span<const GemmMeasurement> measured, DeviceProfile device, Bytes cache) {
  SWITCHYARD_CHECK(device.matmul_model.has_value(), "{} has no matmul_model", device.name);
  device.matmul_model->fp8.wave_quantization = {.value = 1.0};
  FittedGemm fitted{.device = std::move(device), .kernel_start = {}};
  GemmFit fit;
  for (const auto& [type, every, parameters] :
       {std::tuple{MatmulType::kBfloat16, 3, bfloat16_parameters()},
        std::tuple{MatmulType::kFp8, 2, fp8_parameters()}}) {
    const FittedGemm start = fitted;
    for (int phase = 0; phase < every; ++phase) {
      std::vector<GemmRow> rows = rows_of(measured, type, every, phase);
      SWITCHYARD_CHECK(!rows.empty() || type == MatmulType::kFp8, "no rows of bfloat16");
      if (rows.empty()) continue;
      PhaseFit of_phase = fit_phase(std::move(rows), start, parameters, cache);
      std::ranges::copy_if(of_phase.rows, std::back_inserter(fit.each_held_out_once),
                           &GemmRow::is_held_out);
      if (phase + 1 < every) continue;
      fitted = of_phase.fitted;
      std::ranges::move(of_phase.rows, std::back_inserter(fit.rows));
    }
  }
  fit.device = std::move(fitted.device);
  fit.kernel_start = fitted.kernel_start;
  return fit;
}

HeldOutError gemm_error(std::span<const GemmRow> rows, MatmulType type, bool is_held_out,
                        bool of_baseline) {
  std::vector<double> errors;
  for (const GemmRow& row : rows)
    if (row.measured.matmul.type == type && row.is_held_out == is_held_out)
      errors.push_back(of_baseline ? row.baseline_error() : row.error());
  return summarize(errors);
}

}  // namespace switchyard
