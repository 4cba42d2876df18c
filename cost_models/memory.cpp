#include "cost_models/memory.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "cost_models/compute.hpp"
#include "cost_models/node_memory.hpp"
#include "sim/core/error.hpp"

namespace switchyard {

namespace {

/// By layer (the first two words of an operator's name), what its backward pass makes again.
Bytes largest_recomputed(const StepGraph& graph, const MemoryTile& tile) {
  std::map<std::string, Bytes> layers;
  for (const StepNode& node : graph.microbatch)
    if (const auto* op = std::get_if<Operator>(&node))
      for (const Tensor& tensor : op->recomputed)
        layers[op->name.substr(0, op->name.find('.', op->name.find('.') + 1))] +=
            padded_bytes(tensor, tile);
  Bytes largest;
  for (const auto& [name, bytes] : layers) largest = std::max(largest, bytes);
  return largest;
}

}  // namespace

MemoryEstimate training_memory(const TrainingStepSpec& spec, const StepGraph& graph,
                               const DeviceProfile& device, std::span<const LayerRows> routing) {
  MemoryEstimate memory = state_memory(spec);
  const RowsByLayer rows = rows_by_layer(routing);
  for (const StepNode& node : graph.microbatch) {
    if (is_routed(node) && !rows.empty()) continue;
    const auto* op = std::get_if<Operator>(&node);
    const bool is_logits = op != nullptr && op->operator_class == OperatorClass::kLogits;
    const NodeMemory taken = node_memory(node, device.memory_tile, {}, 0);
    (is_logits ? memory.logits : memory.activations) += taken.saved;
    memory.buffers = std::max(memory.buffers, taken.buffers);
  }
  const RoutedMemory drawn = fullest_rank(graph.microbatch, device.memory_tile, rows);
  memory.activations += drawn.saved;
  memory.buffers = std::max(memory.buffers, drawn.buffers);
  memory.recomputed = largest_recomputed(graph, device.memory_tile);
  return memory;
}

bool fits(const MemoryEstimate& memory, const DeviceProfile& device) {
  return memory.total() <= device.memory_capacity * device.memory_usable;
}

std::int64_t largest_fitting_microbatch(TrainingStepSpec spec, const DeviceProfile& device) {
  const int data = spec.partition.data;
  SWITCHYARD_CHECK(data >= 1, "{} data ranks", data);
  const std::int64_t per_rank = spec.sequences / data;
  const std::int64_t length = std::max(spec.lengths.input_tokens, spec.lengths.target_tokens);
  SWITCHYARD_CHECK(per_rank >= 1 && length >= 1, "{} sequences on {} data ranks, {} tokens each",
                   spec.sequences, data, length);
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
