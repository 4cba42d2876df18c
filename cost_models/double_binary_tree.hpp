#pragma once

#include <vector>

#include "cost_models/collective_request.hpp"
#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Parents in one of the two binary trees over places 0 .. n - 1, -1 at the root.
///
/// In tree 0 the parent of a place flips its lowest set bit and sets the next one, or only flips it
/// where that leads beyond n: odd places are leaves. Tree 1 is its mirror image (n even) or is
/// shifted by one (n odd), so that its leaves are the even places. (With n odd, place 0 has one
/// child in tree 0 and may have another in tree 1.) No place has more than four edges in all.
/// Source: NCCL, src/graph/trees.cc, ncclGetBtree() and ncclGetDtree().
[[nodiscard]] std::vector<int> tree_parents(int num_places, int tree);

/// All-reduce over both trees at once; see all_reduce_rounds().
[[nodiscard]] std::vector<Round> double_binary_tree_rounds(const RankGroup& group,
                                                           const Topology& topology, Bytes size,
                                                           Bytes chunk);

/// What the closed form needs.
struct TreePipeline {
  int num_chunks = 1;  ///< K
  int depth = 0;       ///< D
  int edges = 0;       ///< e: most edges of a rank, all trees together
};

[[nodiscard]] TreePipeline tree_pipeline(const RankGroup& group, const Topology& topology,
                                         Bytes size, Bytes chunk);

}  // namespace switchyard
