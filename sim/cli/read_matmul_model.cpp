#include "sim/cli/read_matmul_model.hpp"

#include <tuple>
#include <utility>

namespace switchyard {
namespace {

Provenance read_provenance(Section& section) {
  return section.choice<Provenance>("provenance", "Where it comes from.",
                                    {{"measured", Provenance::kMeasured},
                                     {"fitted", Provenance::kFitted},
                                     {"extrapolated", Provenance::kExtrapolated},
                                     {"datasheet", Provenance::kDatasheet},
                                     {"assumed", Provenance::kAssumed}});
}

/// The range of a constant, checked against its value; `text` writes one for messages.
template <class T, class Text>
std::pair<T, T> read_range(Section& section, const T& value, const ValueType<T>& type, Text text) {
  const auto range =
      section.list("range", "Lowest and highest plausible value.", type, {.min = 2, .max = 2});
  const T lowest = range.at(0);
  const T highest = range.at(1);
  if (section.ok() && lowest > highest)
    section.problem("range", fmt::format("expected the lowest value first, got [{}, {}]",
                                         text(lowest), text(highest)));
  if (section.ok() && (value < lowest || value > highest))
    section.problem("value", fmt::format("expected a value in the range [{}, {}], got {}",
                                         text(lowest), text(highest), text(value)));
  return {lowest, highest};
}

template <class Unit, class Text>
QuantityConstant<Unit> read_quantity(Section section, std::string_view description,
                                     const ValueType<Unit>& type, Text text) {
  QuantityConstant<Unit> constant;
  constant.value = section.value("value", description, type);
  constant.provenance = read_provenance(section);
  std::tie(constant.lowest, constant.highest) = read_range(section, constant.value, type, text);
  section.finish();
  return constant;
}

constexpr bool kMayBeZero = true;

Fp8Kernels read_fp8(Section section) {
  Fp8Kernels kernels;
  kernels.efficiency = read_constant(
      section.subsection("efficiency", "Share of the FP8 peak that endless products reach."));
  kernels.fill_steps = read_constant(
      section.subsection("fill_steps", "Time of a tile beside its products, in steps of 128 B."),
      kMayBeZero);
  kernels.wave_quantization = read_constant(
      section.subsection("wave_quantization", "Share of the last wave's idle time that is lost."),
      kMayBeZero);
  section.finish();
  return kernels;
}

AttentionKernel read_attention(Section section) {
  AttentionKernel kernel;
  kernel.efficiency = read_constant(section.subsection(
      "efficiency", "Share of the bfloat16 peak with endless sequences and wide heads."));
  kernel.half_rate_width = read_constant(
      section.subsection("half_rate_width", "Width of a head at which half of that is reached."),
      kMayBeZero);
  kernel.fill_blocks = read_constant(
      section.subsection("fill_blocks", "Time of 128 queries beside their keys, in 128 keys."),
      kMayBeZero);
  section.finish();
  return kernel;
}

}  // namespace

Constant read_constant(Section section, bool zero) {
  const auto type = types::number(zero ? NumberRange{.min = 0.0} : NumberRange{.above = 0.0});
  Constant constant;
  constant.value = section.value("value", "The constant, without dimension.", type);
  constant.provenance = read_provenance(section);
  std::tie(constant.lowest, constant.highest) =
      read_range(section, constant.value, type, [](double number) { return number; });
  section.finish();
  return constant;
}

QuantityConstant<Seconds> read_time_constant(Section section) {
  return read_quantity(std::move(section), "The time.", types::time(),
                       [](Seconds time) { return fmt::format("{:.6g} us", time.base() * 1e6); });
}

QuantityConstant<BytesPerSecond> read_bandwidth_constant(Section section) {
  return read_quantity(std::move(section), "The rate.", types::bandwidth(),
                       [](BytesPerSecond r) { return fmt::format("{:.6g} GB/s", r.base() / 1e9); });
}

StepInterval read_step_interval(Section section) {
  const auto range = section.list("range", "Multiples of the predicted time of a step.",
                                  types::number({.above = 0.0, .max = 1000.0}), {2, 2});
  StepInterval interval{.low = range.at(0), .high = range.at(1)};
  interval.provenance = read_provenance(section);
  if (section.ok() && (interval.low > 1.0 || interval.high < 1.0))
    section.problem("range", "expected at most 1, then at least 1");
  section.finish();
  return interval;
}

MatmulModel read_matmul_model(Section section) {
  MatmulModel model;
  model.multiprocessors =
      section.count("multiprocessors", "That compute tiles at the same time.", {1, 100'000});
  model.peak_float32 =
      section.flop_rate("peak_float32", "Peak rate of products of float32 operands.");
  model.peak_fp8 = section.optional_flop_rate(
      "peak_fp8", "Peak rate of FP8 products; without it they are computed in bfloat16.", {});
  model.streaming_efficiency = read_constant(section.subsection(
      "streaming_efficiency", "Share of the memory bandwidth that operands of products reach."));
  model.load_rate = read_bandwidth_constant(
      section.subsection("load_rate", "Of one multiprocessor, from the cache."));
  model.split_startup = read_time_constant(
      section.subsection("split_startup", "For adding up a contraction that tiles share."));
  model.fill_steps = read_constant(
      section.subsection("fill_steps", "Time of a tile beside its products, in steps of 128 B."),
      kMayBeZero);
  model.wave_quantization = read_constant(
      section.subsection("wave_quantization", "Share of the last wave's idle time that is lost."),
      kMayBeZero);
  if (auto fp8 = section.optional_subsection("fp8", "Kernels for FP8 with block scales."))
    model.fp8 = read_fp8(std::move(*fp8));
  else if (section.ok() && section.has("peak_fp8"))
    section.problem("peak_fp8", "needs the constants of its kernels under \"fp8\"");
  model.attention_forward = read_attention(
      section.subsection("attention_forward", "Fused attention in the forward pass."));
  model.attention_backward = read_attention(
      section.subsection("attention_backward", "Fused attention in the backward pass."));
  section.finish();
  return model;
}

}  // namespace switchyard
