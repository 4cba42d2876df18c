#include "sim/workload/block_operators.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {
namespace {

/// One kernel does all of the router, forward or backward: its time is that of the product, or of
/// the product for the inputs' gradient.
void set_router_kernels(const TrainingStepSpec& spec, std::int64_t tokens, BlockNodes& block) {
  const auto set = [&](std::vector<StepNode>& nodes, KernelKind kind, std::string_view main) {
    for (StepNode& node : nodes) {
      auto* op = std::get_if<Operator>(&node);
      if (op == nullptr || op->operator_class != OperatorClass::kRouter) continue;
      op->kernel = KernelUse{
          .kind = kind,
          .element_bytes = activation_bytes(spec.precision),
          .sizes = {tokens, spec.model.d_model, spec.model.moe.num_experts, spec.model.moe.top_k},
          .is_elsewhere = !op->name.ends_with(main)};
    }
  };
  set(block.forward, KernelKind::kRouter, ".router.forward");
  set(block.backward, KernelKind::kRouterBackward, ".router.input_gradient");
}

/// The router's product, in its own type; gating is the dispatch's.
BlockNodes router_nodes(const TrainingStepSpec& spec, const std::string& name,
                        std::int64_t tokens) {
  const int bytes = router_bytes(spec.precision);
  const std::int64_t d_model = spec.model.d_model;
  BlockNodes block;
  if (bytes != activation_bytes(spec.precision)) {
    const Tensor stream{1.0, tokens, d_model, activation_bytes(spec.precision)};
    const Tensor input{1.0, tokens, d_model, bytes};
    block.forward.emplace_back(memory_only(name + ".router.cast.forward", OperatorClass::kRouter,
                                           Phase::kForward, {{stream}, {input}}, {input}));
    block.backward.emplace_back(memory_only(name + ".router.cast.backward", OperatorClass::kRouter,
                                            Phase::kBackward, {{stream}, {input}}));
  }
  BlockNodes product;
  add_linear({.name = name + ".router",
              .operator_class = OperatorClass::kRouter,
              .rows = tokens,
              .inputs = d_model,
              .outputs = spec.model.moe.num_experts,
              .activation_bytes = bytes,
              .output_bytes = 4,
              .keeps_type = true},
             spec, product);
  append(block, std::move(product));
  set_router_kernels(spec, tokens, block);
  return block;
}

/// All shared experts at once: side by side they are one block as many times as wide.
BlockNodes shared_experts(const TrainingStepSpec& spec, const std::string& name,
                          std::int64_t tokens) {
  const int bytes = activation_bytes(spec.precision);
  return feed_forward_projections(
      spec,
      {.name = name + ".shared",
       .operator_class = OperatorClass::kFeedForward,
       .rows = tokens,
       .activation_bytes = bytes,
       .output_bytes = bytes},
      split_width(expert_d_ff(spec.model) * spec.model.moe.num_shared_experts,
                  spec.partition.tensor),
      true);
}

}  // namespace

BlockNodes moe_block(const TrainingStepSpec& spec, const std::string& name, std::int64_t tokens,
                     int moe_layer) {
  BlockNodes block;
  const std::int64_t own = stream_tokens(spec, tokens);
  add_norm(spec, name, own, block);
  append(block, router_nodes(spec, name, own));
  if (spec.model.moe.num_shared_experts > 0) append(block, shared_experts(spec, name, tokens));
  append(block, spec.lowering.dispatch == DispatchKind::kOneHot
                    ? one_hot_experts(spec, name, tokens)
                    : permuted_experts(spec, name, tokens, moe_layer));
  return block;
}

}  // namespace switchyard
