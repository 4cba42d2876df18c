#include "sim/cli/layer_run.hpp"

#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::optional<kernels::Activation> activation_of(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return kernels::Activation::kRelu;
    case Activation::kGeglu:
      return kernels::Activation::kGeglu;
    case Activation::kSwiglu:
      return kernels::Activation::kSwiglu;
    case Activation::kGelu:
      break;
  }
  return std::nullopt;
}

std::optional<kernels::Precision> precision_of(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return kernels::Precision::kFloat32;
    case Precision::kBfloat16:
      return kernels::Precision::kBfloat16;
    case Precision::kSelective:
      return kernels::Precision::kSelective;
    default:
      return std::nullopt;
  }
}

kernels::SecondChoice second_choice_of(SecondChoice choice) {
  switch (choice) {
    case SecondChoice::kAlways:
      return kernels::SecondChoice::kAlways;
    case SecondChoice::kThreshold:
      return kernels::SecondChoice::kThreshold;
    case SecondChoice::kRandom:
      return kernels::SecondChoice::kRandom;
    case SecondChoice::kNever:
      return kernels::SecondChoice::kNever;
  }
  return kernels::SecondChoice::kAlways;
}

kernels::CapacityRounding rounding_of(CapacityRounding rounding) {
  switch (rounding) {
    case CapacityRounding::kDown:
      return kernels::CapacityRounding::kDown;
    case CapacityRounding::kNearest:
      return kernels::CapacityRounding::kNearest;
    case CapacityRounding::kUp:
      return kernels::CapacityRounding::kUp;
  }
  return kernels::CapacityRounding::kDown;
}

/// What our kernels cannot run.
std::vector<std::string> layer_problems(const TrainingRunSpec& run) {
  const TrainingStepSpec& step = run.step;
  const Partition& p = step.partition;
  std::vector<std::string> found;
  if (!is_moe(step.model)) found.emplace_back("the model has no experts");
  if (!activation_of(step.model.activation))
    found.emplace_back("activation gelu: our kernels have relu, geglu and swiglu");
  if (!precision_of(step.precision))
    found.emplace_back("precision: our kernels have float32, bfloat16 and selective");
  if (p.pipeline > 1 || p.sequence > 1)
    found.emplace_back("pipeline and sequence ranks: our kernels have data, tensor and expert");
  if (p.zero_stage > 0) found.emplace_back("zero: each rank holds its experts whole");
  if (expert_tensor_ranks(p) != p.tensor)
    found.emplace_back("expert_tensor: experts are split over as many ranks as tensor says");
  if (p.order[0] != MeshAxis::kTensor && p.tensor > 1 && p.data > 1)
    found.emplace_back("order: tensor ranks are neighbours");
  if (run.routing.slots.priority == SlotPriority::kGate)
    found.emplace_back("priority gate: our kernels have choice-major and token-major");
  if (run.routing.slots.reroute_attempts > 0) found.emplace_back("reroute_attempts");
  if (run.routing.gate.expert_choice || run.routing.gate.expert_groups > 1)
    found.emplace_back("gates by expert choice or groups of experts");
  return found;
}

}  // namespace

kernels::RunSpec layer_run(const std::string& name, const TrainingRunSpec& run, int moe_layers,
                           std::uint64_t seed, const LayerRunOptions& options) {
  const std::vector<std::string> found = layer_problems(run);
  if (!found.empty())
    throw ConfigError(
        fmt::format("case \"{}\" cannot be run for real:\n  {}", name, fmt::join(found, "\n  ")));
  const TrainingStepSpec step = resolve_microbatch(run);
  const ModelSpec& model = step.model;
  kernels::RunSpec spec;
  spec.layer = {.d_model = static_cast<int>(model.d_model),
                .d_ff = static_cast<int>(model.moe.d_ff > 0 ? model.moe.d_ff : model.d_ff),
                .num_experts = model.moe.num_experts,
                .activation = *activation_of(model.activation),
                .precision = *precision_of(step.precision)};
  const GateSpec& gate = run.routing.gate;
  spec.layer.router.top_k = model.moe.top_k;
  spec.layer.router.second_choice = second_choice_of(gate.second_choice);
  spec.layer.router.second_threshold = gate.second_threshold;
  spec.layer.router.renormalized = gate.renormalized && model.moe.top_k > 1;
  spec.layer.router.jitter = gate.jitter;
  kernels::CapacitySpec& capacity = spec.layer.capacity;
  if (!step.moe.dropless) capacity.capacity_factor = step.moe.capacity_factor;
  capacity.times_top_k = step.moe.capacity_times_top_k;
  capacity.minimum = step.moe.minimum_capacity;
  capacity.rounding = rounding_of(step.moe.rounding);
  capacity.group_tokens = step.moe.group_tokens;
  capacity.priority = run.routing.slots.priority == SlotPriority::kTokenMajor
                          ? kernels::SlotPriority::kTokenMajor
                          : kernels::SlotPriority::kChoiceMajor;
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;
  spec.tokens_per_rank = step.microbatch_sequences *
                         (has_encoder ? step.lengths.input_tokens : step.lengths.target_tokens);
  spec.layers = options.layers > 0 ? options.layers : moe_layers;
  spec.partition = {.data = step.partition.data,
                    .tensor = step.partition.tensor,
                    .expert = step.partition.expert};
  spec.chunks = step.overlap.all_to_all_chunks;
  spec.mode =
      options.forward_only ? kernels::RunMode::kForward : kernels::RunMode::kForwardBackward;
  spec.steps = options.steps;
  spec.warmup = options.warmup;
  spec.seed = seed;
  spec.backend = options.backend;
  spec.threads = options.threads;
  spec.transport = spec.partition.data * spec.partition.tensor == 1 ? kernels::Transport::kNone
                                                                    : options.transport;
  return spec;
}

}  // namespace switchyard
