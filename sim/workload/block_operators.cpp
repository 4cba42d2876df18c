#include "sim/workload/block_operators.hpp"

#include <algorithm>
#include <iterator>

namespace switchyard {

std::int64_t num_tokens(const BlockTokens& tokens) {
  return static_cast<std::int64_t>(tokens.sequences) * tokens.tokens_per_sequence;
}

void append(BlockNodes& block, BlockNodes part) {
  block.forward.insert(block.forward.end(), std::make_move_iterator(part.forward.begin()),
                       std::make_move_iterator(part.forward.end()));
  part.backward.insert(part.backward.end(), std::make_move_iterator(block.backward.begin()),
                       std::make_move_iterator(block.backward.end()));
  block.backward = std::move(part.backward);
}

Operator memory_only(const std::string& name, OperatorClass operator_class, Phase phase,
                     std::vector<Traffic> traffic, std::vector<Tensor> saved) {
  return {.name = name,
          .operator_class = operator_class,
          .phase = phase,
          .matmul = {},
          .traffic = std::move(traffic),
          .saved = std::move(saved)};
}

Operator accumulation(const std::string& name, const Tensor& gradient) {
  return {.name = name + ".accumulate",
          .operator_class = OperatorClass::kAccumulation,
          .phase = Phase::kBackward,
          .matmul = {},
          .traffic = {{gradient, 3.0}},
          .saved = {}};
}

Tensor all_rows(const LinearSpec& linear, std::int64_t width, int bytes) {
  if (linear.routed.rows != RoutedRows::kOfEachExpert)
    return {linear.batch, linear.rows, width, bytes, linear.routed.rows != RoutedRows::kNone};
  const auto rows = static_cast<std::int64_t>(linear.batch * static_cast<double>(linear.rows));
  return {1.0, rows, width, bytes, true};
}

Routed routed_together(const LinearSpec& linear) {
  Routed routed = linear.routed;
  if (routed.rows == RoutedRows::kOfEachExpert) routed.rows = RoutedRows::kReceivedByRank;
  return routed;
}

namespace {

/// An operand read as it is and written as FP8, by rows for one product and by columns for the
/// other.
Operator quantization(const LinearSpec& linear, const char* part, Phase phase,
                      const Tensor& operand) {
  Tensor narrow = operand;
  narrow.element_bytes = 1;
  Operator op =
      memory_only(linear.name + part, linear.operator_class, phase, {{operand}, {narrow, 2.0}});
  op.routed = routed_together(linear);
  return op;
}

enum class ProductRole { kForward, kInputGradient, kWeightGradient };

/// The kernel of a projection's product: one over all experts, or one product. The gradient of
/// dense weights is that of one expert.
KernelUse product_kernel(const LinearSpec& linear, ProductRole role) {
  const bool is_routed = linear.routed.rows != RoutedRows::kNone;
  const bool is_grouped = is_routed || linear.batch > 1.0;
  const auto rows = static_cast<std::int64_t>(linear.batch * static_cast<double>(linear.rows));
  const auto experts = static_cast<std::int64_t>(linear.batch);
  KernelUse use{.kind = KernelKind::kGroupedWeightGradient,
                .element_bytes = linear.activation_bytes,
                .sizes = {rows, linear.outputs, linear.inputs, experts},
                .has_routed_rows = is_routed};
  if (role == ProductRole::kWeightGradient) return use;
  if (is_grouped) {
    use.kind = role == ProductRole::kForward ? KernelKind::kGroupedForward
                                             : KernelKind::kGroupedDataGradient;
    return use;
  }
  use.kind = KernelKind::kGemm;
  use.sizes = role == ProductRole::kForward ? std::vector{rows, linear.outputs, linear.inputs}
                                            : std::vector{rows, linear.inputs, linear.outputs};
  return use;
}

}  // namespace

void add_linear(const LinearSpec& linear, const TrainingStepSpec& spec, BlockNodes& block) {
  const LoweringSpec& lowering = spec.lowering;
  const MatmulType type = linear.activation_bytes == 4 ? MatmulType::kFloat32
                          : linear.keeps_type          ? MatmulType::kBfloat16
                                                       : matmul_type(spec.precision);
  const bool is_fp8 = type == MatmulType::kFp8;
  const int operand_bytes = is_fp8 ? 1 : linear.activation_bytes;
  const int weight_bytes = std::min(lowering.weight_bytes, operand_bytes);
  const double branches = linear.num_input_branches;
  const bool is_routed = linear.routed.rows != RoutedRows::kNone;
  const MatmulKernel kernel = is_routed ? MatmulKernel::kGrouped : MatmulKernel::kGemm;
  const auto product = [&](std::int64_t rows, std::int64_t contraction, std::int64_t columns,
                           RoutedDimension dimension) {
    return Matmul{.batch = linear.batch,
                  .rows = rows,
                  .contraction = contraction,
                  .columns = columns,
                  .routed = is_routed ? dimension : RoutedDimension::kNone,
                  .type = type,
                  .kernel = kernel};
  };
  const Tensor wide_input{linear.batch, linear.rows, linear.inputs, linear.activation_bytes,
                          is_routed};
  const Tensor output{linear.batch, linear.rows, linear.outputs, linear.output_bytes, is_routed};
  Tensor input = wide_input;
  Tensor output_gradient = output;
  if (is_fp8) input.element_bytes = output_gradient.element_bytes = 1;
  const Tensor weights{linear.batch, linear.inputs, linear.outputs, weight_bytes};
  const Tensor gradient{linear.batch, linear.inputs, linear.outputs, lowering.gradient_bytes};

  BlockNodes nodes;
  if (is_fp8)
    nodes.forward.emplace_back(
        quantization(linear, ".quantize.forward", Phase::kForward,
                     all_rows(linear, linear.inputs, linear.activation_bytes)));
  Operator forward{
      .name = linear.name + ".forward",
      .operator_class = linear.operator_class,
      .phase = Phase::kForward,
      .matmul = product(linear.rows, linear.inputs, linear.outputs, RoutedDimension::kRows),
      .traffic = {{input, branches}, {weights}, {output, linear.adds_residual ? 2.0 : 1.0}},
      .saved = {},
      .routed = linear.routed};
  if (!is_fp8) forward.kernel = product_kernel(linear, ProductRole::kForward);
  forward.saved.assign(static_cast<std::size_t>(linear.num_saved_outputs), output);
  nodes.forward.emplace_back(std::move(forward));

  if (is_fp8)
    nodes.backward.emplace_back(
        quantization(linear, ".quantize.backward", Phase::kBackward,
                     all_rows(linear, linear.outputs, linear.output_bytes)));
  Operator input_gradient{
      .name = linear.name + ".input_gradient",
      .operator_class = linear.operator_class,
      .phase = Phase::kBackward,
      .matmul = product(linear.rows, linear.outputs, linear.inputs, RoutedDimension::kRows),
      .traffic = {{output_gradient},
                  {weights},
                  {wide_input, branches * (linear.masks_input ? 2.0 : 1.0)}},
      .saved = {},
      .routed = linear.routed};
  Operator weight_gradient{
      .name = linear.name + ".weight_gradient",
      .operator_class = linear.operator_class,
      .phase = Phase::kBackward,
      .matmul = product(linear.inputs, linear.rows, linear.outputs, RoutedDimension::kContraction),
      .traffic = {{input, branches},
                  {output_gradient},
                  {gradient, lowering.fused_accumulation ? 2.0 : 1.0}},
      .saved = {},
      .routed = linear.routed};
  if (!is_fp8) {
    input_gradient.kernel = product_kernel(linear, ProductRole::kInputGradient);
    weight_gradient.kernel = product_kernel(linear, ProductRole::kWeightGradient);
  }
  nodes.backward.emplace_back(std::move(input_gradient));
  nodes.backward.emplace_back(std::move(weight_gradient));
  nodes.backward.emplace_back(accumulation(linear.name, gradient));
  append(block, std::move(nodes));
}

void add_norm(const TrainingStepSpec& spec, const std::string& name, std::int64_t tokens,
              BlockNodes& block, std::int64_t width) {
  const Tensor stream{1.0, tokens, width > 0 ? width : spec.model.d_model,
                      activation_bytes(spec.precision)};
  BlockNodes nodes;
  nodes.forward.emplace_back(Operator{.name = name + ".norm.forward",
                                      .operator_class = OperatorClass::kNormalization,
                                      .phase = Phase::kForward,
                                      .matmul = {},
                                      .traffic = {{stream, 2.0}},  // read, write
                                      .saved = {stream, stream},
                                      .kernel = KernelUse{.kind = KernelKind::kLayerNorm,
                                                          .element_bytes = stream.element_bytes,
                                                          .sizes = {tokens, stream.columns}}});
  nodes.backward.emplace_back(
      Operator{.name = name + ".norm.backward",
               .operator_class = OperatorClass::kNormalization,
               .phase = Phase::kBackward,
               .matmul = {},
               .traffic = {{stream, 4.0}},  // read input, its gradient, the residual's; write
               .saved = {}});
  append(block, std::move(nodes));
}

}  // namespace switchyard
