#pragma once

#include <string>
#include <vector>

#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// How a layer and its tokens are cut over data * tensor ranks. Rank r is tensor rank r % tensor of
/// data rank r / tensor.
///
/// Data ranks have tokens of their own; the tensor ranks of one have the same tokens and a share of
/// every expert's hidden columns each. Experts are cut over `expert` neighbouring data ranks; each
/// further `expert` data ranks hold a replica of them.
struct RankPartition {
  int data = 1;
  int tensor = 1;
  int expert = 1;
};

/// @throws KernelError (kSpec) unless data * tensor is num_ranks, expert divides data and the
///         experts, tensor divides d_ff.
void validate(const RankPartition& partition, const MoeLayerSpec& spec, int num_ranks);

/// data * tensor. @throws KernelError (kSpec) from 2^31 on
[[nodiscard]] int num_ranks_of(const RankPartition& partition);

/// Tokens that a plan can number.
inline constexpr std::int64_t kMostTokens = (std::int64_t{1} << 31) - 1;

/// @throws KernelError (kSpec) unless a data rank has 0 .. kMostTokens tokens and choices, and 64
///         bits count the numbers of all tokens.
void validate_tokens(std::int64_t tokens_per_rank, const RankPartition& partition,
                     const MoeLayerSpec& spec);

/// A rank's place in the partition.
struct RankPlace {
  int data = 0;
  int tensor = 0;
  int expert = 0;   ///< which part of the experts
  int replica = 0;  ///< which copy of that part
};

[[nodiscard]] constexpr RankPlace place_of(const RankPartition& partition, int rank) {
  const int data = rank / partition.tensor;
  return {.data = data,
          .tensor = rank % partition.tensor,
          .expert = data % partition.expert,
          .replica = data / partition.expert};
}

/// Shape of the experts that a rank holds.
[[nodiscard]] ExpertShape local_experts(const RankPartition& partition, const MoeLayerSpec& spec);

/// Where they lie in the layer.
[[nodiscard]] ExpertPart expert_part(const RankPartition& partition, const MoeLayerSpec& spec,
                                     const RankPlace& place);

struct NamedPartition {
  std::string name;
  RankPartition partition;
};

/// Data, model, model+data, expert+data, expert+model+data on n ranks; where both data and tensor
/// are cut, tensor is 2.
/// Source: Fedus, Zoph, Shazeer, "Switch Transformers", JMLR 23, 2022, figure 9.
[[nodiscard]] std::vector<NamedPartition> figure9_partitions(int num_ranks);

}  // namespace switchyard::kernels
