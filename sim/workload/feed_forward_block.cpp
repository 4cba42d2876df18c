#include "sim/workload/block_operators.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {
namespace {

/// The non-linearity as a kernel of its own: reads what the first projections wrote. What it wrote
/// stays, and twice where dropout follows: before it for a ReLU's gradient, after it for the last
/// projection's.
BlockNodes activation_nodes(const TrainingStepSpec& spec, const LinearSpec& linear,
                            std::int64_t d_ff) {
  const double inputs = num_input_projections(spec.model);
  const Tensor hidden = all_rows(linear, d_ff, linear.activation_bytes);
  BlockNodes block;
  Operator forward = memory_only(linear.name + ".activation.forward", linear.operator_class,
                                 Phase::kForward, {{hidden, inputs + 1.0}}, {hidden});
  if (spec.lowering.dropout) forward.saved.push_back(hidden);
  Operator backward =  // reads inputs and a gradient, writes the inputs' gradients
      memory_only(linear.name + ".activation.backward", linear.operator_class, Phase::kBackward,
                  {{hidden, 2.0 * inputs + 1.0}});
  forward.routed = backward.routed = routed_together(linear);
  const KernelUse use{.kind = KernelKind::kActivation,
                      .element_bytes = linear.activation_bytes,
                      .sizes = {hidden.rows, d_ff},
                      .variant = std::string{activation_name(spec.model.activation)},
                      .has_routed_rows = hidden.is_routed};
  forward.kernel = backward.kernel = use;
  backward.kernel->kind = KernelKind::kActivationBackward;
  block.forward.emplace_back(std::move(forward));
  block.backward.emplace_back(std::move(backward));
  return block;
}

/// Outputs of a first projection that stay for the backward pass. A ReLU's gradient needs its
/// output alone (its sign), that of GELU and of the gated ones what they read.
int num_saved_outputs(const TrainingStepSpec& spec) {
  if (!spec.lowering.separate_activation) return spec.lowering.dropout ? 2 : 1;
  return spec.model.activation == Activation::kRelu ? 0 : 1;
}

}  // namespace

BlockNodes feed_forward_projections(const TrainingStepSpec& spec, LinearSpec linear,
                                    std::int64_t d_ff, bool adds_residual) {
  const ModelSpec& model = spec.model;
  const LoweringSpec& lowering = spec.lowering;
  const LinearSpec given = linear;
  const bool is_routed = linear.routed.rows != RoutedRows::kNone;
  const bool is_split = !is_routed && linear.operator_class != OperatorClass::kExperts;
  const int projections = num_input_projections(model);
  BlockNodes block;
  linear.inputs = model.d_model;
  linear.outputs = lowering.separate_activation ? projections * d_ff : d_ff;
  linear.num_saved_outputs = num_saved_outputs(spec);
  if (is_split && !lowering.separate_activation)
    add_split_entry(spec, given.name, linear.rows, block);
  for (int i = 0; i < (lowering.separate_activation ? 1 : projections); ++i) {
    linear.name = given.name + (i == 0 ? ".wi" : ".wi_gate");
    if (is_split && lowering.separate_activation)
      add_split_linear(spec, linear, block);
    else
      add_linear(linear, spec, block);
  }
  if (lowering.separate_activation) append(block, activation_nodes(spec, given, d_ff));
  linear.name = given.name + ".wo";
  linear.inputs = d_ff;
  linear.outputs = model.d_model;
  linear.num_saved_outputs = is_routed ? 0 : 1;
  linear.num_input_branches = lowering.separate_activation ? 1 : projections;
  linear.masks_input = !lowering.separate_activation;
  linear.adds_residual = adds_residual;
  add_linear(linear, spec, block);
  if (is_split) add_split_exit(spec, given.name, given.rows, block);
  return block;
}

BlockNodes feed_forward_block(const TrainingStepSpec& spec, const std::string& name,
                              std::int64_t tokens) {
  const int bytes = activation_bytes(spec.precision);
  BlockNodes block;
  add_norm(spec, name, stream_tokens(spec, tokens), block);
  append(block,
         feed_forward_projections(spec,
                                  {.name = name,
                                   .operator_class = OperatorClass::kFeedForward,
                                   .rows = tokens,
                                   .activation_bytes = bytes,
                                   .output_bytes = bytes},
                                  split_width(spec.model.d_ff, spec.partition.tensor), true));
  return block;
}

}  // namespace switchyard
