#include "cost_models/memory.hpp"

#include <algorithm>

#include "cost_models/compute.hpp"
#include "sim/core/error.hpp"

namespace switchyard {

MemoryEstimate training_memory(const TrainingStepSpec& spec, const StepGraph& graph,
                               const DeviceProfile& device) {
  const double parameters = parameters_per_rank(spec);
  const int copy_bytes = activation_bytes(spec.precision) < spec.lowering.weight_bytes
                             ? activation_bytes(spec.precision)
                             : 0;
  MemoryEstimate memory;
  memory.weights = Bytes{parameters * (spec.lowering.weight_bytes + copy_bytes)};
  memory.gradients =
      Bytes{parameters * (graph.num_microbatches > 1 ? 2.0 : 1.0) * spec.lowering.gradient_bytes};
  for (const StepNode& node : graph.microbatch)
    if (const auto* op = std::get_if<Operator>(&node))
      for (const Tensor& tensor : op->saved)
        memory.activations += padded_bytes(tensor, device.memory_tile);
  return memory;
}

bool fits(const MemoryEstimate& memory, const DeviceProfile& device) {
  return memory.total() <= device.memory_capacity * device.memory_usable;
}

std::int64_t largest_fitting_microbatch(TrainingStepSpec spec, const DeviceProfile& device) {
  SWITCHYARD_CHECK(spec.num_ranks >= 1, "{} ranks", spec.num_ranks);
  const std::int64_t per_rank = spec.sequences / spec.num_ranks;
  const std::int64_t length = std::max(spec.lengths.input_tokens, spec.lengths.target_tokens);
  SWITCHYARD_CHECK(per_rank >= 1 && length >= 1, "{} sequences on {} ranks, {} tokens each",
                   spec.sequences, spec.num_ranks, length);
  const std::int64_t most =
      std::clamp<std::int64_t>(spec.lowering.microbatch_tokens / length, 1, per_rank);
  for (std::int64_t sequences = most; sequences > 1; --sequences) {
    if (per_rank % sequences != 0) continue;
    spec.microbatch_sequences = sequences;
    if (fits(training_memory(spec, build_training_step(spec), device), device)) return sequences;
  }
  return 1;
}

}  // namespace switchyard
