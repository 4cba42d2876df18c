#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/layer/layer_spec.hpp"
#include "kernels/ranks/partition.hpp"
#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {

/// The keys of one MoE layer; they borrow the spec.
[[nodiscard]] std::vector<Key> layer_keys(MoeLayerSpec& spec);

/// The keys of a partition over ranks.
[[nodiscard]] std::vector<Key> partition_keys(RankPartition& partition);

/// What files of runs and trainings have in common.
struct LayerFile {
  const MoeLayerSpec& layer;
  const RankPartition& partition;
  const std::int64_t& tokens_per_rank;
};

/// read_keys() of a file that sets these among others, and whether they can be.
/// @throws KeyFileError with all that is wrong
void read_layer_file(std::string_view text, const std::string& file, const std::vector<Key>& keys,
                     const LayerFile& sets);

}  // namespace switchyard::kernels
