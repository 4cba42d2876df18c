#include "sim/workload/partition/partition_problems.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "sim/workload/model_layers.hpp"

namespace switchyard {
namespace {

using Problems = std::vector<PartitionProblem>;

/// Whether the axes multiply to the ranks of the system. Each axis is below 2^17.
bool check_ranks(const Partition& p, int ranks, Problems& problems) {
  const std::int64_t others = std::int64_t{p.tensor} * p.sequence * p.pipeline;
  const bool is_huge = others > ranks;
  if (!is_huge && others * p.data == ranks) return true;
  std::string text = fmt::format(
      "data x tensor x sequence x pipeline = {} x {} x {} x {}, but the system has {} ranks",
      p.data, p.tensor, p.sequence, p.pipeline, ranks);
  text += ranks % others == 0
              ? fmt::format("; data: {} would fit", ranks / others)
              : fmt::format(
                    "; {} ranks are not a multiple of {}: change tensor, sequence or "
                    "pipeline, whose product must divide them (as {} does)",
                    ranks, others, nearest_divisors(ranks, others));
  problems.push_back({"partition.data", std::move(text)});
  return false;
}

void check_split(std::string key, std::string_view what, std::int64_t count, int ranks,
                 Problems& problems) {
  if (count % ranks == 0) return;
  problems.push_back(
      {std::move(key), fmt::format("expected a divisor of {} ({}), such as {}, got {}", what, count,
                                   nearest_divisors(count, ranks), ranks)});
}

void check_model(const TrainingStepSpec& spec, Problems& problems) {
  const ModelSpec& model = spec.model;
  const Partition& p = spec.partition;
  check_split("partition.tensor", "the model's heads", model.num_heads, p.tensor, problems);
  if (!model.latent_attention && model.num_kv_heads % p.tensor != 0 &&
      p.tensor % model.num_kv_heads != 0)
    check_split("partition.tensor", "the model's kv_heads", model.num_kv_heads, p.tensor, problems);
  check_split("partition.tensor", "the model's d_ff", model.d_ff, p.tensor, problems);
  for (const std::int64_t length : {spec.lengths.input_tokens, spec.lengths.target_tokens})
    if (length > 0)
      check_split("partition.sequence", "the tokens of a sequence", length, p.sequence, problems);
  const int layers = num_layers(model);
  if (p.pipeline > layers)
    problems.push_back(
        {"partition.pipeline",
         fmt::format("{} stages are more than the model's {} layers", p.pipeline, layers)});
  else if (std::int64_t{p.pipeline} * p.virtual_stages > layers)
    problems.push_back(
        {p.virtual_stages > 1 ? "partition.virtual_stages" : "partition.pipeline",
         fmt::format("{} stages of {} chunks are more than the model's {} layers; expected at most "
                     "{} chunks a stage, or at most {} stages",
                     p.pipeline, p.virtual_stages, layers, layers / p.pipeline,
                     std::max(1, layers / p.virtual_stages))});
  if (p.virtual_stages > 1 && p.pipeline == 1)
    problems.push_back({"partition.virtual_stages", "needs a pipeline of at least 2 stages"});
  if (p.sequence_parallel && p.tensor == 1)
    problems.push_back({"partition.sequence_parallel",
                        "splits the stream over the tensor ranks, of which there is one; set "
                        "partition.tensor, or leave it out"});
}

void check_experts(const TrainingStepSpec& spec, Problems& problems) {
  const ModelSpec& model = spec.model;
  const Partition& p = spec.partition;
  const int shares = expert_tensor_ranks(p);
  const bool is_one_hot = spec.lowering.dispatch == DispatchKind::kOneHot;
  if (!is_moe(model)) return;
  const int most = ranks_of_stage(p) / shares;
  if (ranks_of_stage(p) % (shares * p.expert) != 0)
    problems.push_back(
        {"partition.expert",
         fmt::format("expert x expert_tensor = {} x {} must divide the {} ranks of a stage (data x "
                     "sequence x tensor): {} would",
                     p.expert, shares, ranks_of_stage(p),
                     nearest_divisors(std::max(1, most), p.expert))});
  if (spec.placement.ranks_of.empty() && model.moe.num_experts % p.expert != 0)
    problems.push_back(
        {"partition.expert",
         model.moe.num_experts < p.expert
             ? fmt::format("{} experts cannot be spread over {} ranks: at most {}; further ranks "
                           "hold copies (leave data as it is), or share experts' widths "
                           "(expert_tensor)",
                           model.moe.num_experts, p.expert, model.moe.num_experts)
             : fmt::format("{} ranks cannot share the model's {} experts evenly; {} can", p.expert,
                           model.moe.num_experts,
                           nearest_divisors(std::gcd(model.moe.num_experts, std::max(1, most)),
                                            p.expert))});
  check_split("partition.expert_tensor", "the experts' d_ff", expert_d_ff(model), shares, problems);
  if (is_one_hot && (shares != p.tensor || p.sequence_parallel))
    problems.push_back({"partition.expert_tensor",
                        "one-hot dispatch splits experts as it splits dense layers; leave out "
                        "expert_tensor and sequence_parallel"});
  if (!is_one_hot && !has_split_stream(p) && p.expert > 1)
    problems.push_back({"partition.sequence_parallel",
                        "with tensor and expert ranks tokens are dispatched from a split stream; "
                        "set sequence_parallel: true"});
}

void check_batch(const TrainingStepSpec& spec, Problems& problems) {
  const int data = spec.partition.data;
  if (spec.sequences % data != 0) {
    const std::int64_t below = spec.sequences / data * data;
    problems.push_back(
        {"batch.sequences",
         fmt::format(
             "expected a multiple of the {} data ranks, such as {}, got {}", data,
             below > 0 ? fmt::format("{} or {}", below, below + data) : fmt::format("{}", data),
             spec.sequences)});
    return;
  }
  const std::int64_t per_rank = spec.sequences / data;
  if (spec.microbatch_sequences > 0 && per_rank % spec.microbatch_sequences != 0)
    problems.push_back({"batch.microbatch_sequences",
                        fmt::format("expected a divisor of the {} sequences of a data rank, such "
                                    "as {}, got {}",
                                    per_rank, nearest_divisors(per_rank, spec.microbatch_sequences),
                                    spec.microbatch_sequences)});
}

}  // namespace

std::string nearest_divisors(std::int64_t count, std::int64_t wish) {
  std::int64_t below = 0;
  std::int64_t above = 0;
  for (std::int64_t d = 1; d * d <= count; ++d) {
    if (count % d != 0) continue;
    for (const std::int64_t divisor : {d, count / d}) {
      if (divisor <= wish) below = std::max(below, divisor);
      if (divisor >= wish && (above == 0 || divisor < above)) above = divisor;
    }
  }
  if (below == above || above == 0) return fmt::format("{}", below);
  return below == 0 ? fmt::format("{}", above) : fmt::format("{} or {}", below, above);
}

std::vector<PartitionProblem> partition_problems(const TrainingStepSpec& spec, int ranks) {
  Problems problems;
  const bool fits = check_ranks(spec.partition, ranks, problems);
  check_model(spec, problems);
  if (!fits) return problems;  // what follows may hang on the wrong axis
  check_experts(spec, problems);
  check_batch(spec, problems);
  return problems;
}

}  // namespace switchyard
