#include "topologies/torus.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr LinkSpec kCable{.bandwidth = 100_GBps, .latency = 1_us};

TorusSpec torus(int width, int height, int ranks_per_router = 1) {
  return torus_of({width, height}, kCable, ranks_per_router);
}

TorusSpec mesh(int width, int height) { return torus_of({width, height}, kCable, 1, false); }

std::vector<std::string> link_names(const Topology& topology, int source, int destination) {
  std::vector<std::string> names;
  for (const LinkId link : path(topology, RankId{source}, RankId{destination}))
    names.push_back(topology.links[link.index()].name);
  return names;
}

const NetworkLink* find_link(const Topology& topology, const std::string& name) {
  for (const NetworkLink& link : topology.links)
    if (link.name == name) return &link;
  return nullptr;
}

TEST(BuildTorus, GivesEveryChipFourCablesAndEveryCoreAPort) {
  const Topology topology = build_torus(torus(4, 4, 2));
  EXPECT_EQ(num_ranks(topology), 32);
  EXPECT_EQ(topology.links.size(), 16u * 4u + 32u * 2u);
  EXPECT_EQ(boost::num_edges(topology.graph), topology.links.size());
  EXPECT_EQ(boost::num_vertices(topology.graph), 16u + 32u);
}

TEST(BuildTorus, HasNoCablesInADimensionOfOne) {
  EXPECT_EQ(build_torus(torus(1, 1, 2)).links.size(), 4u);              // two ports, up and down
  EXPECT_EQ(build_torus(torus(5, 1)).links.size(), 5u * 2u + 5u * 2u);  // +x, -x and ports
}

TEST(BuildTorus, BundlesTheTwoCablesOfARingOfTwo) {
  const Topology topology = build_torus(torus(2, 1));
  EXPECT_EQ(topology.links.size(), 2u + 2u * 2u);
  EXPECT_EQ(find_link(topology, "router(0,0)+x")->bandwidth, 200_GBps);
  EXPECT_THAT(link_names(topology, 1, 0), ElementsAre("rank1:up", "router(1,0)+x", "rank0:down"));
}

TEST(BuildTorus, HasOneCableBetweenTwoChipsOfAMesh) {
  const Topology topology = build_torus(mesh(2, 1));
  EXPECT_EQ(find_link(topology, "router(0,0)+x")->bandwidth, 100_GBps);
  EXPECT_THAT(link_names(topology, 1, 0), ElementsAre("rank1:up", "router(1,0)-x", "rank0:down"));
}

TEST(BuildTorus, WalksAlongXThenY) {
  // rank 0 is at (0,0); rank 9 is at (1,2): 9 = 2 * 4 + 1. Two steps along y are half-way round;
  // sender's y + sender's x = 0 is even, so forwards.
  EXPECT_THAT(
      link_names(build_torus(torus(4, 4)), 0, 9),
      ElementsAre("rank0:up", "router(0,0)+x", "router(1,0)+y", "router(1,1)+y", "rank9:down"));
}

TEST(BuildTorus, TakesTheShorterWayRound) {
  EXPECT_THAT(link_names(build_torus(torus(5, 1)), 0, 3),
              ElementsAre("rank0:up", "router(0,0)-x", "router(4,0)-x", "rank3:down"));
}

TEST(BuildTorus, GoesTheLongWayWhereThereIsNoWrap) {
  EXPECT_THAT(
      link_names(build_torus(mesh(1, 4)), 3, 0),
      ElementsAre("rank3:up", "router(0,3)-y", "router(0,2)-y", "router(0,1)-y", "rank0:down"));
}

TEST(BuildTorus, SplitsTiesOrFixesThem) {
  // 1 -> 3 in a ring of 4 is half-way; sender's x + receiver's y = 1 is odd, so backwards if split.
  TorusSpec ring = torus(4, 1);
  EXPECT_THAT(link_names(build_torus(ring), 1, 3),
              ElementsAre("rank1:up", "router(1,0)-x", "router(0,0)-x", "rank3:down"));
  ring.tie = TieBreak::kFixed;
  EXPECT_THAT(link_names(build_torus(ring), 1, 3),
              ElementsAre("rank1:up", "router(1,0)+x", "router(2,0)+x", "rank3:down"));
}

TEST(BuildTorus, KeepsMessagesBetweenCoresOnTheChip) {
  EXPECT_THAT(link_names(build_torus(torus(4, 4, 2)), 6, 7), ElementsAre("rank6:up", "rank7:down"));
}

TEST(PathLatency, AddsUpTheLinks) {
  TorusSpec spec = torus(4, 4);
  spec.on_chip.latency = 0.25_us;
  const Topology topology = build_torus(spec);
  // (0,0) -> (2,1): 3 cables of 1 us and 2 ports of 0.25 us
  EXPECT_NEAR(path_latency(topology, RankId{0}, RankId{6}).base(), 3.5e-6, 1e-18);
  EXPECT_EQ(path_latency(topology, RankId{5}, RankId{5}), Seconds{0});
}

TEST(PathDeathTest, RejectsARankThatIsNotThere) {
  const Topology topology = build_torus(torus(2, 2));
  EXPECT_DEATH((void)path(topology, RankId{0}, RankId{4}), "rank 0 to rank 4");
}

TEST(BuildTorus, NamesEveryProblemAtOnce) {
  TorusSpec spec = torus(0, 4);
  spec.ranks_per_router = -1;
  spec.dimensions[1].link = {.bandwidth = BytesPerSecond{0}, .latency = Seconds{-1e-6}};
  try {
    (void)build_torus(spec);
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("x: must have a length of at least 1, got 0"));
    EXPECT_THAT(error.what(), HasSubstr("ranks_per_router: must be at least 1, got -1"));
    EXPECT_THAT(error.what(), HasSubstr("y.link.bandwidth"));
    EXPECT_THAT(error.what(), HasSubstr("y.link.latency"));
  }
}

class TorusShapes : public ::testing::TestWithParam<TorusSpec> {};

TEST_P(TorusShapes, HavePathsThatHangTogether) {
  const Topology topology = build_torus(GetParam());
  std::vector<std::pair<NodeId, NodeId>> ends(topology.links.size());
  for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph)))
    ends[topology.graph[edge].id.index()] = {boost::source(edge, topology.graph),
                                             boost::target(edge, topology.graph)};
  for (int source = 0; source < num_ranks(topology); ++source) {
    for (int destination = 0; destination < num_ranks(topology); ++destination) {
      NodeId at = topology.ranks[static_cast<std::size_t>(source)];
      for (const LinkId link : path(topology, RankId{source}, RankId{destination})) {
        EXPECT_EQ(at, ends[link.index()].first) << source << " -> " << destination;
        at = ends[link.index()].second;
      }
      EXPECT_EQ(at, topology.ranks[static_cast<std::size_t>(destination)]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BuildTorus, TorusShapes,
                         ::testing::Values(torus(1, 1), torus(1, 1, 3), torus(2, 2), torus(2, 5),
                                           torus(5, 3, 2), torus(4, 1), torus(6, 4), mesh(2, 3),
                                           mesh(4, 4)),
                         shape_test_name);

}  // namespace
}  // namespace switchyard
