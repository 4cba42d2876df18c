#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/topologies/network_examples.hpp"
#include "topologies/analysis.hpp"
#include "topologies/bisection.hpp"

namespace switchyard {
namespace {

using namespace literals;

class EveryNetwork : public ::testing::TestWithParam<NamedNetwork> {};

template <class Visit>
void for_each_pair(const Topology& topology, const Visit& visit) {
  for (int source = 0; source < num_ranks(topology); ++source)
    for (int destination = 0; destination < num_ranks(topology); ++destination)
      visit(RankId{source}, RankId{destination});
}

TEST_P(EveryNetwork, HasPathsThatHangTogether) {
  const Topology topology = build_topology(GetParam().spec);
  using Ends = std::pair<NodeId, NodeId>;
  std::vector<std::vector<Ends>> ends(topology.links.size());  // two of a half-duplex link
  for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph)))
    ends[topology.graph[edge].id.index()].push_back(
        {boost::source(edge, topology.graph), boost::target(edge, topology.graph)});
  for_each_pair(topology, [&](RankId source, RankId destination) {
    NodeId at = topology.ranks[source.index()];
    std::vector<NodeId> seen{at};
    for (const LinkId link : path(topology, source, destination)) {
      const auto& sides = ends[link.index()];
      const auto side = std::ranges::find(sides, at, &Ends::first);
      ASSERT_NE(side, sides.end()) << source.value() << " -> " << destination.value();
      at = side->second;
      EXPECT_EQ(std::ranges::count(seen, at), 0) << "a loop";
      seen.push_back(at);
    }
    EXPECT_EQ(at, topology.ranks[destination.index()]);
  });
}

TEST_P(EveryNetwork, IsWellFormed) {
  EXPECT_TRUE(problems(GetParam().spec).empty());
  const Topology topology = build_topology(GetParam().spec);
  EXPECT_EQ(num_ranks(topology), num_ranks(GetParam().spec));
  EXPECT_EQ(topology.scale_up_domain.size(), topology.ranks.size());
  std::vector<std::string> names;
  for (const NetworkLink& link : topology.links) {
    names.push_back(link.name);
    EXPECT_GT(link.bandwidth, 0_GBps);
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  for (std::size_t rank = 0; rank < topology.ranks.size(); ++rank)
    EXPECT_EQ(topology.graph[topology.ranks[rank]].kind, NodeKind::kRank);
}

TEST_P(EveryNetwork, IsBuiltTheSameTwice) {
  const Topology first = build_topology(GetParam().spec);
  const Topology second = build_topology(GetParam().spec);
  for_each_pair(first, [&](RankId source, RankId destination) {
    EXPECT_EQ(path(first, source, destination), path(second, source, destination));
  });
}

/// The load of every link, all paths walked: what a symmetry must agree with.
std::vector<std::int64_t> all_messages(const Topology& topology) {
  std::vector<std::int64_t> messages(topology.links.size(), 0);
  for_each_pair(topology, [&](RankId source, RankId destination) {
    for (const LinkId link : path(topology, source, destination)) ++messages[link.index()];
  });
  return messages;
}

TEST_P(EveryNetwork, HasASymmetryThatKeepsPathsAndLoads) {
  const Topology topology = build_topology(GetParam().spec);
  if (!topology.symmetry) GTEST_SKIP() << "declares none";
  const PathSymmetry& symmetry = *topology.symmetry;
  EXPECT_EQ(symmetry.representatives.size() * static_cast<std::size_t>(symmetry.orbit_size),
            topology.ranks.size());
  // Links of an orbit are alike.
  std::vector<const NetworkLink*> first(topology.links.size(), nullptr);
  for (const NetworkLink& link : topology.links) {
    auto& other = first[static_cast<std::size_t>(symmetry.link_orbit[link.id.index()])];
    if (other == nullptr) other = &link;
    EXPECT_EQ(link.bandwidth, other->bandwidth);
    EXPECT_EQ(link.latency, other->latency);
  }
  // A sender of each orbit tells the loads of all.
  EXPECT_EQ(path_statistics(topology).messages, all_messages(topology));
  // The paths of all senders fall into as many classes of equal link orbits, equally often, as
  // those of the representatives do: each class has orbit_size times as many paths.
  const auto classes = [&](const std::vector<RankId>& sources) {
    std::vector<std::vector<int>> orbits;
    for (const RankId source : sources)
      for (int destination = 0; destination < num_ranks(topology); ++destination) {
        std::vector<int> of_path;
        for (const LinkId link : path(topology, source, RankId{destination}))
          of_path.push_back(symmetry.link_orbit[link.index()]);
        orbits.push_back(std::move(of_path));
      }
    std::ranges::sort(orbits);
    return orbits;
  };
  std::vector<RankId> all;
  for (int rank = 0; rank < num_ranks(topology); ++rank) all.emplace_back(rank);
  const auto of_all = classes(all);
  const auto of_representatives = classes(symmetry.representatives);
  for (std::size_t i = 0; i < of_all.size(); ++i)
    ASSERT_EQ(of_all[i], of_representatives[i / static_cast<std::size_t>(symmetry.orbit_size)]);
}

TEST_P(EveryNetwork, HasNoHigherBoundWithMoreBandwidth) {
  Topology topology = build_topology(GetParam().spec);
  const Seconds before = uniform_all_to_all_bound(topology, 1_MB);
  for (NetworkLink& link : topology.links) {
    const BytesPerSecond built = link.bandwidth;
    link.bandwidth = 2 * built;
    EXPECT_LE(uniform_all_to_all_bound(topology, 1_MB), before) << link.name;
    link.bandwidth = built;
    if (link.id.index() > 20) break;  // enough of large ones
  }
  for (NetworkLink& link : topology.links) link.bandwidth = 2 * link.bandwidth;
  EXPECT_NEAR(uniform_all_to_all_bound(topology, 1_MB).base(), before.base() / 2, 1e-15);
}

TEST_P(EveryNetwork, CannotBeatItsFirstHalvesInAnAllToAll) {
  // (N/2)(N - N/2) messages of 1 MB cross the cut, whatever the paths.
  const Topology topology = build_topology(GetParam().spec);
  const int ranks = num_ranks(topology);
  if (ranks < 2) GTEST_SKIP() << "no halves";
  const Bytes crossing = (ranks / 2) * (ranks - ranks / 2) * 1_MB;
  EXPECT_GE(uniform_all_to_all_bound(topology, 1_MB).base(),
            (crossing / max_flow_between_halves(topology)).base() * (1 - 1e-9));
}

TEST_P(EveryNetwork, HasABisectionNoWiderThanItsFirstHalves) {
  const Topology topology = build_topology(GetParam().spec);
  const Bisection found = bisection(GetParam().spec, topology);
  const double cut = max_flow_between_halves(topology).base();
  if (num_ranks(topology) < 2) GTEST_SKIP() << "no halves";
  EXPECT_LE(found.bandwidth.base(), cut * (1 + 1e-9));
  // The halves of pods, leaves and nodes are the first and second half of the ranks.
  const bool is_torus = std::holds_alternative<TorusSpec>(GetParam().spec);
  if (!is_torus) {
    EXPECT_NEAR(found.bandwidth.base(), cut, 1e-9 * cut);  // flows count whole B/s
  }
}

INSTANTIATE_TEST_SUITE_P(Topologies, EveryNetwork, ::testing::ValuesIn(network_examples()),
                         [](const auto& network) { return network.param.name; });

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const NamedNetwork& network, std::ostream* out) { *out << network.name; }

}  // namespace switchyard
