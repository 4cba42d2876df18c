#include "sim/cli/layer_run.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/drawn_choices.hpp"
#include "sim/cli/kernel_words.hpp"
#include "sim/core/error.hpp"
#include "sim/engine/stack_routing.hpp"

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

/// What is run of a step: the encoder, or the only stack.
std::optional<RoutedStack> routed_stack(const TrainingStepSpec& step) {
  const bool has_encoder = step.model.architecture == Architecture::kEncoderDecoder;
  for (const RoutedStack& stack : routed_stacks(step))
    if (stack.name == (has_encoder ? "encoder" : "decoder")) return stack;
  return std::nullopt;
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
  if (run.routing.slots.scope == SlotScope::kGlobal)
    found.emplace_back("capacity_scope global: groups of tokens lie on one rank");
  if (run.routing.placement.kind != PlacementKind::kContiguous)
    found.emplace_back("placement: neighbouring experts lie on one rank");
  const SecondChoice second = run.routing.gate.second_choice;
  if (second == SecondChoice::kThreshold || second == SecondChoice::kRandom)
    found.emplace_back(
        "second_choice threshold and random: a draw gives the kernels choices, not gates");
  if (step.model.moe.num_experts > std::numeric_limits<std::int16_t>::max())
    found.emplace_back("experts: recorded choices have 16 bits");
  if (is_moe(step.model) && !routed_stack(step))
    found.emplace_back("the encoder has no MoE layers");
  return found;
}

/// The choices of draw 0, and slots in the groups that the draw is counted in.
void give_routing(const TrainingRunSpec& run, const TrainingStepSpec& step,
                  const LayerRunOptions& options, kernels::RunSpec& spec) {
  const RoutedStack stack = *routed_stack(step);
  RoutingShape shape = routing_shape(step, stack, run.routing.slots.scope);
  if (options.layers > 0) shape.num_layers = options.layers;
  const auto* recorded = std::get_if<TraceRouter>(&run.routing.router);
  if (recorded != nullptr && recorded->trace->num_layers < shape.num_layers)
    throw ConfigError(fmt::format("--layers: expected at most {}, the layers of {}, got {}",
                                  recorded->trace->num_layers, recorded->file, shape.num_layers));
  spec.layers = shape.num_layers;
  spec.tokens_per_rank = shape.groups_per_rank * shape.group_tokens;
  spec.layer.capacity.group_tokens = shape.group_tokens;
  spec.routing = kernels::InputRouting::kTrace;
  spec.trace_file = "run.npy";
  spec.choices = std::make_shared<const kernels::RoutingTrace>(
      drawn_choices(run.routing, shape, {.seed = run.seed, .stack = stack.id}));
}

}  // namespace

kernels::RunSpec layer_run(const std::string& name, const TrainingRunSpec& run,
                           const LayerRunOptions& options) {
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
  capacity.priority = priority_of(run.routing.slots.priority);
  give_routing(run, step, options, spec);
  spec.partition = {.data = step.partition.data,
                    .tensor = step.partition.tensor,
                    .expert = step.partition.expert};
  spec.chunks = step.overlap.all_to_all_chunks;
  spec.mode =
      options.forward_only ? kernels::RunMode::kForward : kernels::RunMode::kForwardBackward;
  spec.steps = options.steps;
  spec.warmup = options.warmup;
  spec.seed = run.seed;
  spec.backend = options.backend;
  spec.threads = options.threads;
  spec.transport = spec.partition.data * spec.partition.tensor == 1 ? kernels::Transport::kNone
                                                                    : options.transport;
  return spec;
}

}  // namespace switchyard
