#include "sim/planner/fit_layers.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "sim/planner/area_baseline.hpp"
#include "sim/planner/minimize.hpp"

namespace switchyard {
namespace {

constexpr double kLinearFrom = 0.05;  ///< logarithmic error beyond which rows count less

/// A constant that is varied: its range and where it goes.
struct Parameter {
  SearchRange range;
  std::function<void(MoeLayerStack&, double)> set;
};

Parameter share(SearchRange range, Constant MoeLayerStack::*member) {
  return {range, [=](MoeLayerStack& stack, double value) {
            stack.*member = {.value = value,
                             .provenance = Provenance::kFitted,
                             .lowest = range.lowest,
                             .highest = range.highest};
          }};
}

template <class Unit>
Parameter quantity(SearchRange range, QuantityConstant<Unit> MoeLayerStack::*member, double unit) {
  return {range, [=](MoeLayerStack& stack, double value) {
            stack.*member = {.value = Unit{value * unit},
                             .provenance = Provenance::kFitted,
                             .lowest = Unit{range.lowest * unit},
                             .highest = Unit{range.highest * unit}};
          }};
}

std::vector<Parameter> parameters_of(ExpertKernels kernels) {
  constexpr SearchRange kEfficiency{.start = 0.8, .lowest = 0.5, .highest = 1.0};
  return {
      kernels == ExpertKernels::kLibraryTiles
          ? share(kEfficiency, &MoeLayerStack::matmul_efficiency)
          : quantity({.start = 60, .lowest = 30, .highest = 150}, &MoeLayerStack::load_rate, 1e9),
      share(kEfficiency, &MoeLayerStack::streaming_efficiency),
      share({.start = 0.7, .lowest = 0.0, .highest = 1.0}, &MoeLayerStack::hidden_share),
      quantity({.start = 25, .lowest = 5, .highest = 100}, &MoeLayerStack::layer_overhead, 1e-6)};
}

double three_digits(double value) {
  if (value == 0.0) return 0.0;
  const double scale = std::pow(10.0, 2 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

Seconds roofline(const StackLayerShape& shape, const DeviceProfile& device) {
  return std::max(moe_layer_flop(shape) / device.peak_bfloat16,
                  moe_layer_traffic(shape) / device.memory_bandwidth);
}

}  // namespace

std::string layer_name(const StackLayerShape& shape) {
  return fmt::format("{} tokens, tp {}, ep {}", shape.tokens, shape.tensor_ranks,
                     shape.expert_ranks);
}

std::vector<LayerRow> predict_layers(std::span<const LayerMeasurement> measured,
                                     const MoeLayerStack& stack, const DeviceProfile& device) {
  std::vector<BaselineRow> limits;
  std::vector<BaselineRow> operations;
  for (const LayerMeasurement& row : measured) {
    BaselineRow baseline{.group = row.framework,
                         .limit = roofline(row.shape, device),
                         .measured = row.time,
                         .is_fit = row.role == SplitRole::kFit};
    limits.push_back(baseline);
    baseline.limit = moe_layer_flop(row.shape) / device.peak_bfloat16;
    operations.push_back(baseline);
  }
  const std::vector<Seconds> rooflines = one_efficiency(limits);
  const std::vector<Seconds> constants = one_efficiency(operations);
  std::vector<LayerRow> rows;
  for (std::size_t i = 0; i < measured.size(); ++i)
    rows.push_back({.measured = measured[i],
                    .predicted = moe_layer_time(measured[i].shape, stack, device),
                    .roofline = rooflines[i],
                    .constant = constants[i]});
  return rows;
}

MoeLayerStack fit_layers(std::span<const LayerMeasurement> measured, MoeLayerStack stack,
                         const DeviceProfile& device) {
  const std::vector<Parameter> parameters = parameters_of(stack.kernels);
  const auto cost = [&](const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) parameters[i].set(stack, values[i]);
    double sum = 0.0;
    for (const LayerMeasurement& row : measured) {
      if (row.role != SplitRole::kFit) continue;
      const double error = std::log(moe_layer_time(row.shape, stack, device) / row.time);
      sum += std::sqrt(1.0 + std::pow(error / kLinearFrom, 2)) - 1.0;
    }
    return sum;
  };
  std::vector<SearchRange> ranges;
  for (const Parameter& parameter : parameters) ranges.push_back(parameter.range);
  const std::vector<double> best = minimize(cost, ranges);
  for (std::size_t i = 0; i < best.size(); ++i) parameters[i].set(stack, three_digits(best[i]));
  return stack;
}

HeldOutError layer_error(std::span<const LayerRow> rows, SplitRole role,
                         double (LayerRow::*error)() const) {
  std::vector<double> errors;
  for (const LayerRow& row : rows)
    if (row.measured.role == role) errors.push_back((row.*error)());
  return summarize(errors);
}

}  // namespace switchyard
