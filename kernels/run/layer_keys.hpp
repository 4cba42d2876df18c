#pragma once

#include <vector>

#include "kernels/layer/layer_spec.hpp"
#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {

/// The keys of one MoE layer; they borrow the spec.
[[nodiscard]] std::vector<Key> layer_keys(MoeLayerSpec& spec);

/// The keys of a partition over ranks.
struct RankPartition;
[[nodiscard]] std::vector<Key> partition_keys(RankPartition& partition);

}  // namespace switchyard::kernels
