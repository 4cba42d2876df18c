#include "cost_models/double_binary_tree.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "cost_models/group_nodes.hpp"
#include "cost_models/schedule_parts.hpp"

namespace switchyard {
namespace {

/// A tree of ranks: edges from each rank but the root to its parent.
struct RankTree {
  struct Edge {
    RankId child;
    RankId parent;
    int depth;  ///< of the child; the root has 0
  };
  std::vector<Edge> edges;
  int depth = 0;
};

int parent_in_first_tree(int place, int num_places) {
  if (place == 0) return -1;
  const int bit = place & -place;
  const int up = (place ^ bit) | (bit << 1);
  return up < num_places ? up : place ^ bit;
}

/// Chains within the nodes from `head` on, a binary tree over the heads.
RankTree rank_tree(const GroupNodes& nodes, int tree, int head) {
  const std::vector<int> parents = tree_parents(static_cast<int>(nodes.members.size()), tree);
  const auto head_of = [&](int node) {
    const RankGroup& members = nodes.members[static_cast<std::size_t>(node)];
    return members[static_cast<std::size_t>(head)];
  };
  RankTree result;
  for (int node = 0; node < static_cast<int>(parents.size()); ++node) {
    int depth = 0;
    for (int up = node; parents[static_cast<std::size_t>(up)] >= 0; ++depth)
      up = parents[static_cast<std::size_t>(up)];
    const int parent = parents[static_cast<std::size_t>(node)];
    if (parent >= 0) result.edges.push_back({head_of(node), head_of(parent), depth});
    const RankGroup& members = nodes.members[static_cast<std::size_t>(node)];
    const auto size = static_cast<int>(members.size());
    for (int k = 1; k < size; ++k)
      result.edges.push_back({members[static_cast<std::size_t>((head + k) % size)],
                              members[static_cast<std::size_t>((head + k - 1) % size)], depth + k});
  }
  for (const RankTree::Edge& edge : result.edges) result.depth = std::max(result.depth, edge.depth);
  return result;
}

/// Both trees; over several nodes once for each rail. In one node every rank is a head.
std::vector<RankTree> rank_trees(const RankGroup& group, const Topology& topology) {
  GroupNodes nodes = group_nodes(group, topology);
  if (nodes.members.size() == 1) {
    nodes.members.clear();
    for (const RankId rank : group) nodes.members.push_back({rank});
  }
  std::vector<RankTree> trees;
  for (int head = 0; head < fewest_members(nodes); ++head)
    for (const int tree : {0, 1}) trees.push_back(rank_tree(nodes, tree, head));
  return trees;
}

TreePipeline pipeline_of(const std::vector<RankTree>& trees, Bytes size, Bytes chunk) {
  const double chunks = std::ceil(size / static_cast<double>(trees.size()) / chunk);
  std::map<RankId, int> edges;
  int most = 0;
  for (const RankTree& tree : trees)
    for (const RankTree::Edge& edge : tree.edges)
      most = std::max({most, ++edges[edge.child], ++edges[edge.parent]});
  return {.num_chunks = static_cast<int>(std::clamp(chunks, 1.0, 1e6)),
          .depth = std::ranges::max_element(trees, {}, &RankTree::depth)->depth,
          .edges = most};
}

}  // namespace

std::vector<int> tree_parents(int num_places, int tree) {
  std::vector<int> parents(static_cast<std::size_t>(num_places), -1);
  const auto image = [&](int place) {
    if (tree == 0 || place < 0) return place;
    return num_places % 2 == 0 ? num_places - 1 - place : (place + 1) % num_places;
  };
  for (int place = 0; place < num_places; ++place)
    parents[static_cast<std::size_t>(image(place))] =
        image(parent_in_first_tree(place, num_places));
  return parents;
}

TreePipeline tree_pipeline(const RankGroup& group, const Topology& topology, Bytes size,
                           Bytes chunk) {
  return pipeline_of(rank_trees(group, topology), size, chunk);
}

std::vector<Round> double_binary_tree_rounds(const RankGroup& group, const Topology& topology,
                                             Bytes size, Bytes chunk) {
  const std::vector<RankTree> trees = rank_trees(group, topology);
  const TreePipeline pipeline = pipeline_of(trees, size, chunk);
  const Bytes piece = size / static_cast<double>(trees.size()) / pipeline.num_chunks;
  const int depth = pipeline.depth;
  std::vector<Stage> stages(static_cast<std::size_t>(2 * depth));
  for (const RankTree& tree : trees) {
    for (const auto& [child, parent, level] : tree.edges) {
      stages[static_cast<std::size_t>(depth - level)].push_back({child, parent, piece});
      stages[static_cast<std::size_t>(depth + level - 1)].push_back({parent, child, piece});
    }
  }
  std::vector<Round> rounds = pipelined(stages, pipeline.num_chunks);
  for (Round& round : rounds) round.flows = merged(round.flows);
  return rounds;
}

}  // namespace switchyard
