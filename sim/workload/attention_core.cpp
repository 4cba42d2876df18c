#include <algorithm>

#include "sim/core/error.hpp"
#include "sim/workload/block_operators.hpp"

namespace switchyard {
namespace {

Operator product(const std::string& name, Phase phase, const Matmul& matmul,
                 std::vector<Traffic> traffic) {
  return {.name = name,
          .operator_class = OperatorClass::kAttention,
          .phase = phase,
          .matmul = matmul,
          .traffic = std::move(traffic),
          .saved = {}};
}

Operator softmax(const std::string& name, Phase phase, const Tensor& scores, double passes) {
  return {.name = name,
          .operator_class = OperatorClass::kAttention,
          .phase = phase,
          .matmul = {},
          .traffic = {{scores, passes}},
          .saved = {}};
}

BlockNodes separate_kernels(const TrainingStepSpec& spec, const std::string& name,
                            const AttentionCore& s) {
  const LoweringSpec& lowering = spec.lowering;
  const Tensor all_scores{s.batch, s.queries, s.keys, s.query.element_bytes};
  BlockNodes block;
  const MatmulType type = s.query.element_bytes == 4 ? MatmulType::kFloat32 : MatmulType::kBfloat16;
  const auto matmul = [&](std::int64_t rows, std::int64_t contraction, std::int64_t columns) {
    return Matmul{.batch = s.batch,
                  .rows = rows,
                  .contraction = contraction,
                  .columns = columns,
                  .type = type};
  };
  const std::vector<Traffic> with_keys = {{all_scores}, {s.key}, {s.query}};
  const std::vector<Traffic> with_values = {{all_scores}, {s.value}, {s.output}};

  Operator scores =
      product(name + ".scores.forward", Phase::kForward, matmul(s.queries, s.d_query, s.keys),
              {{s.query}, {s.key}, {all_scores}});
  Operator weights = softmax(name + ".softmax.forward", Phase::kForward, all_scores,
                             lowering.softmax_forward_passes);
  weights.saved = {all_scores, all_scores};  // exponentials, weights
  if (lowering.dropout) weights.saved.push_back(all_scores);
  Operator context = product(name + ".context.forward", Phase::kForward,
                             matmul(s.queries, s.keys, s.d_value), with_values);
  context.saved = {s.output};
  for (Operator* node : {&scores, &weights, &context}) {
    node->is_recomputed_selectively = true;
    node->kernel = s.kernel;
    if (node->kernel) node->kernel->is_elsewhere = node != &scores;
    block.forward.emplace_back(std::move(*node));
  }

  block.backward.emplace_back(product(name + ".context.weight_gradient", Phase::kBackward,
                                      matmul(s.queries, s.d_value, s.keys), with_values));
  block.backward.emplace_back(product(name + ".context.value_gradient", Phase::kBackward,
                                      matmul(s.keys, s.queries, s.d_value), with_values));
  block.backward.emplace_back(softmax(name + ".softmax.backward", Phase::kBackward, all_scores,
                                      lowering.softmax_backward_passes));
  block.backward.emplace_back(product(name + ".scores.query_gradient", Phase::kBackward,
                                      matmul(s.queries, s.keys, s.d_query), with_keys));
  block.backward.emplace_back(product(name + ".scores.key_gradient", Phase::kBackward,
                                      matmul(s.keys, s.queries, s.d_query), with_keys));
  return block;
}

BlockNodes fused_kernel(const std::string& name, const AttentionCore& s) {
  Matmul matmul{.batch = s.batch,
                .rows = s.queries,
                .contraction = s.d_query + s.d_value,
                .columns = s.keys,
                .kernel = MatmulKernel::kFusedAttention,
                .computed_share = s.attended};
  Operator forward = product(name + ".core.forward", Phase::kForward, matmul,
                             {{s.query}, {s.key}, {s.value}, {s.output}});
  forward.saved = {s.output, {s.batch, s.queries, 1, 4}};  // and log of the sum of exponentials
  forward.kernel = s.kernel;
  matmul.computed_share = 2.5 * s.attended;
  BlockNodes block;
  block.forward.emplace_back(std::move(forward));
  block.backward.emplace_back(product(
      name + ".core.backward", Phase::kBackward, matmul,
      {{s.query, 2.0}, {s.key, 2.0}, {s.value, 2.0}, {s.output, 2.0}}));  // and their gradients
  return block;
}

}  // namespace

double attended_share(std::int64_t queries, std::int64_t keys, const AttentionMask& mask) {
  SWITCHYARD_CHECK(queries >= 1 && keys >= 1, "{} queries, {} keys", queries, keys);
  const auto all = static_cast<double>(keys);
  const bool has_window = mask.window > 0 && mask.window < keys;
  if (!mask.is_causal) return has_window ? static_cast<double>(mask.window) / all : 1.0;
  // Query i (from 1) of q sees keys - q + i keys, at most the window.
  const auto q = static_cast<double>(queries);
  const double most = has_window ? static_cast<double>(mask.window) : all;
  const double first = all - q;                            // seen beside a query's own index
  const double rising = std::clamp(most - first, 0.0, q);  // queries that see fewer than `most`
  return (rising * first + rising * (rising + 1.0) / 2.0 + (q - rising) * most) / (q * all);
}

BlockNodes attention_core(const TrainingStepSpec& spec, const std::string& name,
                          const AttentionCore& core) {
  return spec.lowering.fused_attention ? fused_kernel(name, core)
                                       : separate_kernels(spec, name, core);
}

}  // namespace switchyard
