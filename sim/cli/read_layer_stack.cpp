#include "sim/cli/read_layer_stack.hpp"

#include "sim/cli/read_matmul_model.hpp"

namespace switchyard {
namespace {

constexpr bool kMayBeZero = true;

TunedShape read_tuned(Section section) {
  TunedShape shape;
  shape.experts = section.integer("experts", "Of one rank.", {.min = 1, .max = 1'000'000});
  shape.d_ff = section.integer("d_ff", "Of one rank.", {.min = 1, .max = 1'000'000'000});
  section.finish();
  return shape;
}

}  // namespace

MoeLayerStack read_layer_stack(Section section) {
  MoeLayerStack stack;
  stack.name = section.text("name", "The software stack, with its version.");
  stack.framework = section.text("framework", "As measurements call it.");
  stack.device = section.text("device", "The profile with everything that is not here.");
  stack.kernels = section.choice<ExpertKernels>("kernels", "How experts are computed.",
                                                {{"library_tiles", ExpertKernels::kLibraryTiles},
                                                 {"token_blocks", ExpertKernels::kTokenBlocks}});
  stack.tuned =
      section.optional_sections("tuned", "Shapes whose tiles were found by measuring.", read_tuned);
  stack.matmul_efficiency = read_constant(
      section.subsection("matmul_efficiency", "Share of the peak that endless products reach."));
  stack.streaming_efficiency = read_constant(section.subsection(
      "streaming_efficiency", "Share of the memory bandwidth that operands reach."));
  stack.load_rate = read_bandwidth_constant(
      section.subsection("load_rate", "Of one multiprocessor, from the cache."));
  stack.wave_quantization = read_constant(
      section.subsection("wave_quantization", "Share of the last wave's idle time that is lost."),
      kMayBeZero);
  stack.hidden_share =
      read_constant(section.subsection("hidden_share",
                                       "Of the shorter of operations and traffic, under the "
                                       "longer."),
                    kMayBeZero);
  stack.layer_overhead = read_time_constant(
      section.subsection("layer_overhead", "Launches and ends of all kernels of a layer."));
  section.finish();
  return stack;
}

}  // namespace switchyard
