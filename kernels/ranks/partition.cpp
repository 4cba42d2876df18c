#include "kernels/ranks/partition.hpp"

#include <limits>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require(bool condition, const char* field, int value, const std::string& expected) {
  if (condition) return;
  throw KernelError{Fault::kSpec, std::string{"partition: "} + field + " is " +
                                      std::to_string(value) + ", expected " + expected};
}

}  // namespace

void validate(const RankPartition& partition, const MoeLayerSpec& spec, int num_ranks) {
  const auto& [data, tensor, expert] = partition;
  require(data >= 1, "data", data, "at least 1");
  require(tensor >= 1, "tensor", tensor, "at least 1");
  require(expert >= 1, "expert", expert, "at least 1");
  require(static_cast<long long>(data) * tensor == num_ranks, "data", data,
          "data * tensor to be the number of ranks, " + std::to_string(num_ranks) +
              ", with tensor " + std::to_string(tensor));
  require(data % expert == 0, "expert", expert, "a divisor of data, " + std::to_string(data));
  require(spec.num_experts % expert == 0, "expert", expert,
          "a divisor of num_experts, " + std::to_string(spec.num_experts));
  require(spec.d_ff % tensor == 0, "tensor", tensor,
          "a divisor of d_ff, " + std::to_string(spec.d_ff));
}

int num_ranks_of(const RankPartition& partition) {
  const std::int64_t product = std::int64_t{partition.data} * partition.tensor;
  if (product > std::numeric_limits<int>::max())
    throw KernelError{Fault::kSpec, "partition: data * tensor is " + std::to_string(product) +
                                        ", expected at most 2147483647"};
  return static_cast<int>(product);
}

void validate_tokens(std::int64_t tokens_per_rank, const RankPartition& partition,
                     const MoeLayerSpec& spec) {
  const std::string tokens = "tokens_per_rank is " + std::to_string(tokens_per_rank);
  if (tokens_per_rank < 0 || tokens_per_rank > kMostTokens)
    throw KernelError{Fault::kSpec, tokens + ", expected 0 to " + std::to_string(kMostTokens)};
  if (tokens_per_rank * spec.router.top_k > kMostTokens)
    throw KernelError{Fault::kSpec, tokens + ", expected at most " +
                                        std::to_string(kMostTokens / spec.router.top_k) +
                                        " with top_k " + std::to_string(spec.router.top_k)};
  require_countable("tokens_per_rank", tokens_per_rank,
                    {tokens_per_rank, partition.data, spec.d_model});
  require_countable("tokens_per_rank", tokens_per_rank,
                    {tokens_per_rank, partition.data, spec.num_experts});
}

ExpertShape local_experts(const RankPartition& partition, const MoeLayerSpec& spec) {
  ExpertShape shape = expert_shape(spec);
  shape.num_experts /= partition.expert;
  shape.d_ff /= partition.tensor;
  return shape;
}

ExpertPart expert_part(const RankPartition& partition, const MoeLayerSpec& spec,
                       const RankPlace& place) {
  const ExpertShape shape = local_experts(partition, spec);
  return {.first_expert = place.expert * shape.num_experts,
          .first_hidden = place.tensor * shape.d_ff,
          .all_hidden = spec.d_ff};
}

std::vector<NamedPartition> figure9_partitions(int num_ranks) {
  const int n = num_ranks;
  std::vector<NamedPartition> all{{"data", {n, 1, 1}}, {"model", {1, n, 1}}};
  if (n % 2 == 0) all.push_back({"model+data", {n / 2, 2, 1}});
  all.push_back({"expert+data", {n, 1, n}});
  if (n % 2 == 0) all.push_back({"expert+model+data", {n / 2, 2, n / 2}});
  return all;
}

}  // namespace switchyard::kernels
