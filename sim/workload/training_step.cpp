#include "sim/workload/training_step.hpp"

#include <algorithm>
#include <string>

#include "sim/core/error.hpp"
#include "sim/workload/block_operators.hpp"
#include "sim/workload/moe_layer_shape.hpp"
#include "sim/workload/parameters.hpp"

namespace switchyard {
namespace {

void check(const TrainingStepSpec& spec) {
  SWITCHYARD_CHECK(spec.num_ranks >= 1 && spec.sequences % spec.num_ranks == 0,
                   "{} sequences on {} ranks", spec.sequences, spec.num_ranks);
  const std::int64_t per_rank = spec.sequences / spec.num_ranks;
  SWITCHYARD_CHECK(spec.microbatch_sequences >= 1 && per_rank % spec.microbatch_sequences == 0,
                   "microbatches of {} in {} sequences", spec.microbatch_sequences, per_rank);
}

std::string layer_name(const char* stack, int layer, const char* part) {
  return std::string(stack) + "." + std::to_string(layer) + "." + part;
}

/// `moe_layers_below`: of the other stack, if it runs before this one.
BlockNodes layer_feed_forward(const TrainingStepSpec& spec, const char* stack, int layer,
                              std::int64_t tokens, int moe_layers_below) {
  return is_moe_layer(spec.model, layer)
             ? moe_block(spec, layer_name(stack, layer, "moe"), tokens,
                         moe_layers_below + num_moe_layers(spec.model, layer))
             : feed_forward_block(spec, layer_name(stack, layer, "feed_forward"), tokens);
}

std::vector<BlockNodes> model_blocks(const TrainingStepSpec& spec) {
  const ModelSpec& model = spec.model;
  const auto sequences = static_cast<double>(spec.microbatch_sequences);
  const BlockTokens inputs{sequences, spec.lengths.input_tokens};
  const BlockTokens targets{sequences, spec.lengths.target_tokens};
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;

  std::vector<BlockNodes> blocks;
  if (has_encoder) {
    blocks.push_back(embedding_block(spec, "encoder.embedding", num_tokens(inputs)));
    for (int layer = 0; layer < model.num_encoder_layers; ++layer) {
      blocks.push_back(
          attention_block(spec, layer_name("encoder", layer, "attention"), inputs, inputs));
      blocks.push_back(layer_feed_forward(spec, "encoder", layer, num_tokens(inputs), 0));
    }
  }
  const int moe_layers_below = num_moe_layers(model, model.num_encoder_layers);
  blocks.push_back(embedding_block(spec, "decoder.embedding", num_tokens(targets)));
  for (int layer = 0; layer < model.num_decoder_layers; ++layer) {
    blocks.push_back(
        attention_block(spec, layer_name("decoder", layer, "attention"), targets, targets));
    if (has_encoder)
      blocks.push_back(attention_block(spec, layer_name("decoder", layer, "encoder_attention"),
                                       targets, inputs));
    blocks.push_back(
        layer_feed_forward(spec, "decoder", layer, num_tokens(targets), moe_layers_below));
  }
  blocks.push_back(logits_block(spec, num_tokens(targets)));
  return blocks;
}

/// The sum of the gradients of each expert over its replicas, one after the other; collectives of
/// different ranks overlap where the engine lets them.
void add_replica_all_reduces(const TrainingStepSpec& spec, const ParameterCounts& counts,
                             std::vector<StepNode>& update) {
  const double weights = counts.experts / std::max(1, spec.model.moe.num_experts);
  for (std::size_t expert = 0; expert < spec.placement.ranks_of.size(); ++expert) {
    const std::vector<RankId>& ranks = spec.placement.ranks_of[expert];
    if (ranks.size() > 1)
      update.emplace_back(
          Collective{.name = "gradients.expert_" + std::to_string(expert) + ".all_reduce",
                     .operator_class = OperatorClass::kAllReduce,
                     .phase = Phase::kUpdate,
                     .kind = CollectiveKind::kAllReduce,
                     .buffer = Bytes{weights * spec.lowering.gradient_bytes},
                     .ranks = ranks});
  }
}

}  // namespace

double parameters_per_rank(const TrainingStepSpec& spec) {
  const ParameterCounts counts = count_parameters(spec.model);
  if (!is_moe(spec.model)) return counts.total();
  return counts.dense() +
         counts.experts * experts_of_fullest_rank(spec) / spec.model.moe.num_experts;
}

StepGraph build_training_step(const TrainingStepSpec& spec) {
  check(spec);
  StepGraph graph;
  graph.num_microbatches =
      static_cast<int>(spec.sequences / spec.num_ranks / spec.microbatch_sequences);

  std::vector<BlockNodes> blocks = model_blocks(spec);
  for (BlockNodes& block : blocks)
    for (StepNode& node : block.forward) graph.microbatch.push_back(std::move(node));
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block)
    for (StepNode& node : block->backward) graph.microbatch.push_back(std::move(node));

  if (graph.num_microbatches == 1)  // nothing to add to
    std::erase_if(graph.microbatch, [](const StepNode& node) {
      const auto* op = std::get_if<Operator>(&node);
      return op != nullptr && op->operator_class == OperatorClass::kAccumulation;
    });

  const ParameterCounts counts = count_parameters(spec.model);
  if (spec.num_ranks > 1)
    graph.update.emplace_back(
        Collective{.name = "gradients.all_reduce",
                   .operator_class = OperatorClass::kAllReduce,
                   .phase = Phase::kUpdate,
                   .kind = CollectiveKind::kAllReduce,
                   .buffer = Bytes{counts.dense() * spec.lowering.gradient_bytes}});
  if (is_moe(spec.model)) add_replica_all_reduces(spec, counts, graph.update);
  // Weights lie in whole tiles: no padding to speak of.
  const double tiles = parameters_per_rank(spec) / (8 * 128);
  Operator optimizer{.name = "optimizer",
                     .operator_class = OperatorClass::kOptimizer,
                     .phase = Phase::kUpdate,
                     .matmul = {},
                     .traffic = {{{tiles, 8, 128, 4}, spec.lowering.optimizer_passes}},
                     .saved = {}};
  if (activation_bytes(spec.precision) < spec.lowering.weight_bytes)  // the copy for the products
    optimizer.traffic.push_back({{tiles, 8, 128, activation_bytes(spec.precision)}});
  graph.update.emplace_back(std::move(optimizer));
  return graph;
}

}  // namespace switchyard
