#include <algorithm>

#include "sim/workload/block_operators.hpp"
#include "sim/workload/tensor_parallel.hpp"

namespace switchyard {
namespace {

/// What one rank does of an attention block.
struct RankAttention {
  std::int64_t queries = 0;  ///< of one sequence, on this rank
  std::int64_t query_tokens = 0;
  std::int64_t own_key_tokens = 0;  ///< that it projects
  std::int64_t key_tokens = 0;      ///< that its queries attend to
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
};

RankAttention rank_attention(const TrainingStepSpec& spec, const BlockTokens& queries,
                             const BlockTokens& keys) {
  const Partition& partition = spec.partition;
  RankAttention rank;
  rank.queries = split_width(queries.tokens_per_sequence, partition.sequence);
  rank.query_tokens = num_tokens({queries.sequences, rank.queries});
  rank.own_key_tokens =
      num_tokens({keys.sequences, split_width(keys.tokens_per_sequence, partition.sequence)});
  rank.key_tokens = num_tokens(keys);
  rank.heads = split_width(spec.model.num_heads, partition.tensor);
  rank.kv_heads = split_width(spec.model.num_kv_heads, partition.tensor);
  return rank;
}

LinearSpec linear_of(const TrainingStepSpec& spec) {
  return {.name = "",
          .operator_class = OperatorClass::kAttention,
          .inputs = spec.model.d_model,
          .activation_bytes = activation_bytes(spec.precision),
          .output_bytes = activation_bytes(spec.precision)};
}

/// Keys and values of the whole sequence; backward the sums of their gradients.
void add_key_gather(const TrainingStepSpec& spec, const std::string& name, double elements,
                    BlockNodes& block) {
  BlockNodes nodes;
  add_collective(spec, name + ".keys.gather", Phase::kForward, CollectiveKind::kAllGather,
                 MeshGroup::kSequence, elements, nodes.forward);
  add_collective(spec, name + ".keys.scatter", Phase::kBackward, CollectiveKind::kReduceScatter,
                 MeshGroup::kSequence, elements, nodes.backward);
  append(block, std::move(nodes));
}

/// Queries, keys and values from the stream, each by one product.
AttentionCore add_head_projections(const TrainingStepSpec& spec, const std::string& name,
                                   const RankAttention& rank, bool is_cross, BlockNodes& block) {
  const std::int64_t d_head = spec.model.d_head;
  const int bytes = activation_bytes(spec.precision);
  const std::int64_t query_width = rank.heads * d_head;
  const std::int64_t key_width = rank.kv_heads * d_head;
  LinearSpec linear = linear_of(spec);
  linear.rows = rank.query_tokens;
  if (spec.lowering.fused_attention && !is_cross) {
    linear.name = name + ".query_key_value";
    linear.outputs = query_width + 2 * key_width;
    add_split_linear(spec, linear, block);
  } else {
    add_split_entry(spec, name, rank.query_tokens, block);
    linear.name = name + ".query";
    linear.outputs = query_width;
    add_linear(linear, spec, block);
    if (is_cross) add_split_entry(spec, name + ".memory", rank.own_key_tokens, block);
    linear.rows = rank.own_key_tokens;
    linear.outputs = key_width;
    for (const char* part : {".key", ".value"}) {
      linear.name = name + part;
      add_linear(linear, spec, block);
    }
  }
  add_key_gather(spec, name, 2.0 * static_cast<double>(rank.key_tokens * key_width), block);
  const Tensor query{1.0, rank.query_tokens, query_width, bytes};
  const Tensor key{1.0, rank.key_tokens, key_width, bytes};
  return {.d_query = d_head,
          .d_value = d_head,
          .query = query,
          .key = key,
          .value = key,
          .output = query};
}

/// The same through latent vectors, which all tensor ranks compute.
AttentionCore add_latent_projections(const TrainingStepSpec& spec, const std::string& name,
                                     const RankAttention& rank, BlockNodes& block) {
  const LatentAttention& latent = *spec.model.latent_attention;
  const int bytes = activation_bytes(spec.precision);
  const std::int64_t d_query = spec.model.d_head + latent.d_rotary;
  const auto project = [&](const char* part, std::int64_t rows, std::int64_t inputs,
                           std::int64_t outputs) {
    LinearSpec linear = linear_of(spec);
    linear.name = name + part;
    linear.rows = rows;
    linear.inputs = inputs;
    linear.outputs = outputs;
    add_linear(linear, spec, block);
  };
  const std::int64_t own = stream_tokens(spec, rank.query_tokens);
  const std::int64_t key_latent = latent.key_value_rank + latent.d_rotary;
  if (latent.query_rank > 0) {
    project(".query_down", own, spec.model.d_model, latent.query_rank);
    add_norm(spec, name + ".query", own, block, latent.query_rank);
  }
  project(".key_value_down", own, spec.model.d_model, key_latent);
  add_norm(spec, name + ".key_value", own, block, latent.key_value_rank);
  // Latent vectors are narrower than the stream: they are what the tensor ranks exchange.
  BlockNodes exchange;
  if (spec.partition.sequence_parallel) {
    const auto width = static_cast<double>(rank.query_tokens * (latent.query_rank + key_latent));
    add_collective(spec, name + ".latent.gather.forward", Phase::kForward,
                   CollectiveKind::kAllGather, MeshGroup::kTensor, width, exchange.forward);
    add_collective(spec, name + ".latent.scatter.backward", Phase::kBackward,
                   CollectiveKind::kReduceScatter, MeshGroup::kTensor, width, exchange.backward);
  }
  append(block, std::move(exchange));
  project(".query_up", rank.query_tokens,
          latent.query_rank > 0 ? latent.query_rank : spec.model.d_model, rank.heads * d_query);
  project(".key_value_up", rank.own_key_tokens, latent.key_value_rank,
          rank.heads * (spec.model.d_head + latent.d_value));
  const Tensor query{1.0, rank.query_tokens, rank.heads * d_query, bytes};
  const Tensor key{1.0, rank.key_tokens, rank.heads * d_query, bytes};
  const Tensor value{1.0, rank.key_tokens, rank.heads * latent.d_value, bytes};
  add_key_gather(spec, name, num_elements(key) + num_elements(value), block);
  return {.d_query = d_query,
          .d_value = latent.d_value,
          .query = query,
          .key = key,
          .value = value,
          .output = {1.0, rank.query_tokens, rank.heads * latent.d_value, bytes}};
}

/// The measured kernel is causal self-attention without a window, of heads of one width.
std::optional<KernelUse> prefill_kernel(const AttentionCore& core, const RankAttention& rank,
                                        const BlockTokens& queries, const AttentionMask& mask) {
  const bool has_window = mask.window > 0 && mask.window < core.keys;
  const auto sequences = static_cast<std::int64_t>(queries.sequences);
  if (mask.is_cross || !mask.is_causal || has_window || core.queries != core.keys ||
      core.d_query != core.d_value || static_cast<double>(sequences) != queries.sequences)
    return std::nullopt;
  return KernelUse{.kind = KernelKind::kAttentionPrefill,
                   .element_bytes = core.query.element_bytes,
                   .sizes = {sequences, core.queries, rank.heads, rank.kv_heads, core.d_query}};
}

}  // namespace

BlockNodes attention_block(const TrainingStepSpec& spec, const std::string& name,
                           const BlockTokens& queries, const BlockTokens& keys,
                           const AttentionMask& mask) {
  const RankAttention rank = rank_attention(spec, queries, keys);
  BlockNodes block;
  add_norm(spec, name, stream_tokens(spec, rank.query_tokens), block);
  AttentionCore core = spec.model.latent_attention
                           ? add_latent_projections(spec, name, rank, block)
                           : add_head_projections(spec, name, rank, mask.is_cross, block);
  core.batch = queries.sequences * static_cast<double>(rank.heads);
  core.queries = rank.queries;
  core.keys = keys.tokens_per_sequence;
  core.attended = attended_share(queries.tokens_per_sequence, keys.tokens_per_sequence, mask);
  core.kernel = prefill_kernel(core, rank, queries, mask);
  append(block, attention_core(spec, name, core));

  LinearSpec linear = linear_of(spec);
  linear.name = name + ".output";
  linear.rows = rank.query_tokens;
  linear.inputs = core.output.columns;
  linear.outputs = spec.model.d_model;
  linear.adds_residual = true;
  add_linear(linear, spec, block);
  add_split_exit(spec, name, rank.query_tokens, block);
  return block;
}

}  // namespace switchyard
