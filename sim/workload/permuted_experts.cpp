#include <algorithm>
#include <cmath>

#include "sim/workload/block_operators.hpp"
#include "sim/workload/moe_layer_shape.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {
namespace {

/// The tensors of one MoE layer on one rank in one microbatch, in perfect balance.
struct PermutedTensors {
  Tensor gates;       ///< (tokens, experts) float32
  Tensor stream;      ///< (tokens, d_model)
  Tensor sent;        ///< (kept choices of the rank's tokens, d_model), routed
  Tensor received;    ///< (kept choices of all ranks for the share's experts, d_model), routed
  Tensor of_experts;  ///< the same by expert: (experts of the rank, rows, d_model)
  bool is_exchanged = false;  ///< there are other ranks
  bool is_sorted = false;     ///< and several experts on this one
};

PermutedTensors permuted_tensors(const TrainingStepSpec& spec, std::int64_t tokens) {
  const MoeLayerShape shape = moe_layer_shape(spec, tokens_of_expert_share(spec, tokens));
  const std::int64_t d_model = spec.model.d_model;
  const int bytes = activation_bytes(spec.precision);
  const std::int64_t rows = shape.balanced_rows;
  const int split = expert_tensor_ranks(spec.partition);
  const std::int64_t own_rows = (rows + split - 1) / split;
  const double mean = static_cast<double>(rows) / shape.experts_per_rank;
  const std::int64_t of_expert = std::max<std::int64_t>(1, std::llround(mean));
  const bool is_exchanged = spec.partition.expert > 1;
  const std::int64_t own_tokens = stream_tokens(spec, tokens);
  return {
      .gates = {1.0, own_tokens, spec.model.moe.num_experts, 4},
      .stream = {1.0, own_tokens, d_model, bytes},
      .sent = {1.0, own_rows, d_model, bytes, true},
      .received = {1.0, rows, d_model, bytes, true},
      .of_experts = {shape.experts_per_rank, of_expert, d_model, bytes, true},
      .is_exchanged = is_exchanged,
      .is_sorted = is_exchanged && shape.experts_per_rank > 1 && spec.lowering.layout_copies > 0};
}

Operator routed_copy(const std::string& name, Phase phase, const Routed& routed,
                     std::vector<Traffic> traffic) {
  Operator op = memory_only(name, OperatorClass::kDispatch, phase, std::move(traffic));
  op.routed = routed;
  return op;
}

/// The two directions of rows of one layer in one phase.
class Exchange {
 public:
  Exchange(const TrainingStepSpec& spec, const PermutedTensors& tensors, int moe_layer)
      : spec_{&spec}, tensors_{&tensors}, moe_layer_{moe_layer} {}

  /// From the tokens' ranks to those of their experts.
  void to_experts(const std::string& name, Phase phase, std::vector<StepNode>& nodes) const {
    exchange(name, phase, RoutedRows::kSentByRank, dispatch_bytes(spec_->precision), nodes);
    share(name + ".gather", phase, CollectiveKind::kAllGather, nodes);
    sort(name, phase, nodes);
  }

  /// And back.
  void to_tokens(const std::string& name, Phase phase, std::vector<StepNode>& nodes) const {
    sort(name, phase, nodes);
    share(name + ".scatter", phase, CollectiveKind::kReduceScatter, nodes);
    exchange(name, phase, RoutedRows::kReceivedByRank, tensors_->sent.element_bytes, nodes);
  }

 private:
  void exchange(const std::string& name, Phase phase, RoutedRows rows, double element_bytes,
                std::vector<StepNode>& nodes) const {
    if (!tensors_->is_exchanged) return;
    const Bytes row{static_cast<double>(tensors_->sent.columns) * element_bytes};
    // A row of a share is sent by one of the ranks that split its experts.
    nodes.emplace_back(Collective{.name = name,
                                  .operator_class = OperatorClass::kAllToAll,
                                  .phase = phase,
                                  .kind = CollectiveKind::kAllToAll,
                                  .buffer = static_cast<double>(tensors_->sent.rows) * row,
                                  .group = MeshGroup::kExpert,
                                  .routed = {.rows = rows, .moe_layer = moe_layer_},
                                  .row_bytes = row / expert_tensor_ranks(spec_->partition)});
  }

  /// Rows between the ranks that split an expert: each needs all, and has a part of their sums. In
  /// perfect balance, whatever a draw says.
  void share(const std::string& name, Phase phase, CollectiveKind kind,
             std::vector<StepNode>& nodes) const {
    add_collective(*spec_, name, phase, kind, MeshGroup::kExpertTensor,
                   num_elements(tensors_->received), nodes);
  }

  void sort(const std::string& name, Phase phase, std::vector<StepNode>& nodes) const {
    if (!tensors_->is_sorted) return;
    Operator op = routed_copy(
        name + ".sort", phase, {.rows = RoutedRows::kReceivedByRank, .moe_layer = moe_layer_},
        {{tensors_->received, 2.0 * spec_->lowering.layout_copies}});  // read, write
    op.kernel = KernelUse{.kind = KernelKind::kPermute,
                          .element_bytes = tensors_->received.element_bytes,
                          .sizes = {tensors_->received.rows, tensors_->received.columns},
                          .has_routed_rows = true};
    nodes.emplace_back(std::move(op));
  }

  const TrainingStepSpec* spec_;
  const PermutedTensors* tensors_;
  int moe_layer_;
};

/// The first operator with a product.
Operator& first_product(std::vector<StepNode>& nodes) {
  const auto product = std::ranges::find_if(
      nodes, [](const StepNode& node) { return std::get<Operator>(node).matmul.batch > 0.0; });
  return std::get<Operator>(*product);
}

/// The projections; the first keeps their input as well.
BlockNodes expert_nodes(const TrainingStepSpec& spec, const std::string& name,
                        const PermutedTensors& t, int moe_layer) {
  BlockNodes experts = feed_forward_projections(
      spec,
      {.name = name + ".experts",
       .operator_class = OperatorClass::kExperts,
       .batch = t.of_experts.outer,
       .rows = t.of_experts.rows,
       .activation_bytes = t.of_experts.element_bytes,
       .output_bytes = t.of_experts.element_bytes,
       .routed = {.rows = RoutedRows::kOfEachExpert, .moe_layer = moe_layer}},
      split_width(expert_d_ff(spec.model), expert_tensor_ranks(spec.partition)), false);
  first_product(experts.forward).saved.push_back(t.of_experts);
  return experts;
}

}  // namespace

BlockNodes permuted_experts(const TrainingStepSpec& spec, const std::string& name,
                            std::int64_t tokens, int moe_layer) {
  const LoweringSpec& lowering = spec.lowering;
  const PermutedTensors t = permuted_tensors(spec, tokens);
  const Exchange exchange{spec, t, moe_layer};
  const Routed sent{.rows = RoutedRows::kSentByRank,
                    .moe_layer = moe_layer,
                    .split = expert_tensor_ranks(spec.partition)};
  const int bytes = t.stream.element_bytes;
  const std::int64_t d_model = t.stream.columns;
  const int choices = spec.model.moe.top_k;
  const KernelUse rows_out{.kind = KernelKind::kPermute,
                           .element_bytes = bytes,
                           .sizes = {t.sent.rows, d_model},
                           .has_routed_rows = true};
  const auto sum_of_rows = [&](KernelKind kind) {
    return KernelUse{
        .kind = kind, .element_bytes = bytes, .sizes = {t.stream.rows, d_model, choices}};
  };
  const auto copy = [&](const char* part, Phase phase, const KernelUse& use,
                        std::vector<Traffic> traffic) {
    Operator op = routed_copy(name + part, phase, sent, std::move(traffic));
    op.kernel = use;
    return op;
  };
  const auto gating = [&](const char* part, Phase phase, const KernelUse& use, double passes) {
    Operator op = memory_only(name + part, OperatorClass::kRouter, phase, {{t.gates, passes}});
    op.kernel = use;
    return op;
  };
  // Choices of experts are the router's; what is left is the plan of rows, in whole numbers.
  const KernelUse plan{.kind = KernelKind::kPlan,
                       .element_bytes = 4,
                       .sizes = {t.gates.rows, t.gates.columns, choices}};
  const KernelUse of_router{.kind = KernelKind::kRouterBackward,
                            .element_bytes = bytes,
                            .sizes = {t.gates.rows, d_model, t.gates.columns, choices},
                            .is_elsewhere = true};

  BlockNodes block;
  Operator gates = gating(".gating.forward", Phase::kForward, plan, lowering.top_k_forward_passes);
  gates.saved = {t.gates};
  block.forward.emplace_back(std::move(gates));
  block.forward.emplace_back(
      copy(".permute.forward", Phase::kForward, rows_out, {{t.stream}, {t.sent}}));
  exchange.to_experts(name + ".dispatch.forward", Phase::kForward, block.forward);

  exchange.to_tokens(name + ".dispatch.backward", Phase::kBackward, block.backward);
  block.backward.emplace_back(copy(".permute.backward", Phase::kBackward,
                                   sum_of_rows(KernelKind::kUnpermute), {{t.sent}, {t.stream}}));
  block.backward.emplace_back(
      gating(".gating.backward", Phase::kBackward, of_router, lowering.top_k_backward_passes));

  append(block, expert_nodes(spec, name, t, moe_layer));

  BlockNodes combine;
  exchange.to_tokens(name + ".combine.forward", Phase::kForward, combine.forward);
  Operator sum = copy(".unpermute.forward", Phase::kForward, sum_of_rows(KernelKind::kCombine),
                      {{t.sent}, {t.stream, 2.0}});
  if (!lowering.gates_before_last_product) sum.saved = {t.sent};  // for the gates' gradients
  combine.forward.emplace_back(std::move(sum));
  combine.backward.emplace_back(copy(".unpermute.backward", Phase::kBackward,
                                     sum_of_rows(KernelKind::kCombineBackward),
                                     {{t.stream}, {t.sent, 2.0}}));
  exchange.to_experts(name + ".combine.backward", Phase::kBackward, combine.backward);
  append(block, std::move(combine));
  return block;
}

}  // namespace switchyard
