#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Parents in one of the two binary trees over places 0 .. n - 1, -1 at the root.
///
/// In tree 0 the parent of a place flips its lowest set bit and sets the next one, or only flips it
/// where that leads beyond n: odd places are leaves. Tree 1 is its mirror image (n even) or is
/// shifted by one (n odd), so that its leaves are the even places, but for the one that is a leaf
/// twice when n is odd.
/// Source: NCCL, src/graph/trees.cc, ncclGetBtree() and ncclGetDtree().
[[nodiscard]] std::vector<int> tree_parents(int num_places, int tree);

/// All-reduce over both trees at once; see all_reduce_rounds().
[[nodiscard]] std::vector<Round> double_binary_tree_rounds(const RankGroup& group,
                                                           const Topology& topology, Bytes size,
                                                           Bytes chunk);

/// K and D of the closed form.
struct TreePipeline {
  int num_chunks = 1;
  int depth = 0;
};

[[nodiscard]] TreePipeline tree_pipeline(const RankGroup& group, const Topology& topology,
                                         Bytes size, Bytes chunk);

}  // namespace switchyard
