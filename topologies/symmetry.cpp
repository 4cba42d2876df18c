#include "topologies/symmetry.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <unordered_map>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Disjoint sets of 0 .. size - 1; the smallest member stands for its set.
class Partition {
 public:
  explicit Partition(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
    return x;
  }
  void unite(std::size_t a, std::size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

/// The link between two nodes; a builder with symmetry has no parallel ones.
class LinkIndex {
 public:
  explicit LinkIndex(const Topology& topology) : num_nodes_{boost::num_vertices(topology.graph)} {
    for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph)))
      links_[key(boost::source(edge, topology.graph), boost::target(edge, topology.graph))] =
          topology.graph[edge].id;
  }
  [[nodiscard]] LinkId at(NodeId from, NodeId to) const {
    const auto found = links_.find(key(from, to));
    SWITCHYARD_CHECK(found != links_.end(), "a symmetry moves a link to {} -> {}", from, to);
    return found->second;
  }

 private:
  [[nodiscard]] std::uint64_t key(NodeId from, NodeId to) const { return from * num_nodes_ + to; }
  std::uint64_t num_nodes_;
  std::unordered_map<std::uint64_t, LinkId> links_;  // looked up only, never iterated
};

}  // namespace

NodePermutation identity_permutation(const Topology& topology) {
  NodePermutation identity(boost::num_vertices(topology.graph));
  std::iota(identity.begin(), identity.end(), NodeId{0});
  return identity;
}

std::optional<PathSymmetry> symmetry_of(const Topology& topology,
                                        std::span<const NodePermutation> generators) {
  Partition rank_orbits{topology.ranks.size()};
  Partition link_orbits{topology.links.size()};
  std::vector<std::size_t> rank_at(boost::num_vertices(topology.graph));
  for (std::size_t rank = 0; rank < topology.ranks.size(); ++rank)
    rank_at[topology.ranks[rank]] = rank;
  const LinkIndex index{topology};
  for (const NodePermutation& image : generators) {
    for (std::size_t rank = 0; rank < topology.ranks.size(); ++rank)
      rank_orbits.unite(rank, rank_at[image[topology.ranks[rank]]]);
    for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph))) {
      const NetworkLink& link = topology.links[topology.graph[edge].id.index()];
      const LinkId moved = index.at(image[boost::source(edge, topology.graph)],
                                    image[boost::target(edge, topology.graph)]);
      const NetworkLink& other = topology.links[moved.index()];
      SWITCHYARD_CHECK(link.bandwidth == other.bandwidth && link.latency == other.latency,
                       "a symmetry moves {} onto {}", link.name, other.name);
      link_orbits.unite(link.id.index(), moved.index());
    }
  }
  PathSymmetry symmetry;
  std::vector<int> sizes(topology.ranks.size(), 0);
  for (std::size_t rank = 0; rank < topology.ranks.size(); ++rank) {
    const std::size_t first = rank_orbits.find(rank);
    if (sizes[first]++ == 0) symmetry.representatives.push_back(RankId{static_cast<int>(rank)});
  }
  symmetry.orbit_size = sizes.empty() ? 1 : sizes[0];
  if (symmetry.orbit_size == 1) return std::nullopt;
  for (const RankId rank : symmetry.representatives)
    SWITCHYARD_CHECK(sizes[rank.index()] == symmetry.orbit_size, "orbits of {} and {} ranks",
                     sizes[rank.index()], symmetry.orbit_size);
  int num_orbits = 0;
  for (std::size_t link = 0; link < topology.links.size(); ++link) {
    const std::size_t first = link_orbits.find(link);
    symmetry.link_orbit.push_back(first == link ? num_orbits++ : symmetry.link_orbit[first]);
  }
  return symmetry;
}

}  // namespace switchyard
