#include "topologies/analysis.hpp"

#include <gtest/gtest.h>

#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;

constexpr LinkSpec kCable{.bandwidth = 100_GBps, .latency = Seconds{0}};

TorusSpec torus(int width, int height, int ranks_per_router = 1) {
  return torus_of({width, height}, kCable, ranks_per_router);
}

/// The uniform all-to-all bound in units of one message over one link, m / b.
double messages_over_busiest_link(const TorusSpec& spec) {
  return uniform_all_to_all_bound(build_torus(spec), 1_MB) / (1_MB / kCable.bandwidth);
}

TEST(LinkLoads, CountEveryFlowOnEveryLinkOfItsPath) {
  const Topology topology = build_torus(torus(5, 1));
  // 0 -> 2 and 1 -> 2 both cross the cable from router 1 to router 2.
  const std::vector<Flow> flows{{RankId{0}, RankId{2}, 3_MB}, {RankId{1}, RankId{2}, 4_MB}};
  const std::vector<Bytes> loads = link_loads(topology, flows);
  const LinkId shared = path(topology, RankId{1}, RankId{2})[1];
  EXPECT_EQ(loads[shared.index()], 7_MB);
  // 7 MB / 100 GB/s = 70 us
  EXPECT_NEAR(bottleneck_time(topology, loads).base(), 70e-6, 1e-15);
}

TEST(LinkLoads, IgnoreWhatStaysOnItsRank) {
  const Topology topology = build_torus(torus(5, 1));
  const std::vector<Flow> flows{{RankId{3}, RankId{3}, 3_MB}, {RankId{1}, RankId{2}, 0_MB}};
  EXPECT_EQ(bottleneck_time(topology, link_loads(topology, flows)), Seconds{0});
}

TEST(UniformAllToAllBound, IsTheCubeOverEightOnABalancedSquare) {
  // k^3 / 8: 64 / 8 and 512 / 8
  EXPECT_NEAR(messages_over_busiest_link(torus(4, 4)), 8.0, 1e-9);
  EXPECT_NEAR(messages_over_busiest_link(torus(8, 8)), 64.0, 1e-9);
}

TEST(UniformAllToAllBound, IsWorseWhenTiesAllGoForwards) {
  // In a ring of 4 a link forwards carries distance 1 once and distance 2 twice: 3 per row, and 4
  // rows to go to, so 12; split, half of the 2 goes back: (1 + 1) * 4 = 8.
  TorusSpec spec = torus(4, 4);
  spec.tie = TieBreak::kFixed;
  EXPECT_NEAR(messages_over_busiest_link(spec), 12.0, 1e-9);
}

TEST(UniformAllToAllBound, GrowsWithTheSquareOfTheCores) {
  EXPECT_NEAR(messages_over_busiest_link(torus(4, 4, 2)), 4 * 8.0, 1e-9);
}

TEST(UniformAllToAllBound, IsTheBusierDimensionOfARectangle) {
  // A ring of length k has k * floor(k^2 / 4) steps over all ordered pairs; each of its 2k links
  // carries that times h^2 (rows of both ends) over h rows: floor(k^2 / 4) * h / 2.
  EXPECT_NEAR(messages_over_busiest_link(torus(5, 3)), 6 * 3 / 2.0, 1e-9);  // y: 2 * 5 / 2 = 5
  EXPECT_NEAR(messages_over_busiest_link(torus(4, 8)), 16 * 4 / 2.0, 1e-9);
  EXPECT_NEAR(messages_over_busiest_link(torus(6, 4)), 9 * 4 / 2.0, 1e-9);
  EXPECT_NEAR(messages_over_busiest_link(torus(6, 5, 2)), 4 * 9 * 5 / 2.0, 1e-9);
  // x: each row's chip sends to 4 chips over two bundled cables: 2; y: 4 * 2 / 2 = 4.
  EXPECT_NEAR(messages_over_busiest_link(torus(2, 4)), 4.0, 1e-9);
  EXPECT_NEAR(messages_over_busiest_link(torus(2, 2)), 1.0, 1e-9);
}

TEST(Diameter, IsHalfOfEachRing) {
  EXPECT_EQ(diameter(build_torus(torus(4, 4, 2))), 4);
  EXPECT_EQ(diameter(build_torus(torus(5, 3))), 3);
  EXPECT_EQ(diameter(build_torus(torus(1, 1, 2))), 0);
  TorusSpec mesh = torus(4, 4);
  for (TorusDimension& dimension : mesh.dimensions) dimension.wrap = false;
  EXPECT_EQ(diameter(build_torus(mesh)), 6);
}

TEST(AverageHops, IsTheMeanOverDistinctRanks) {
  // Distances in a ring of 4: 0 + 1 + 2 + 1 = 4, so 1 on average in each dimension: 16 * 2 = 32
  // steps to all 16 chips, 15 of which are others.
  EXPECT_NEAR(average_hops(build_torus(torus(4, 4))), 32.0 / 15, 1e-12);
  // Two cores: 32 * 2 steps to the other chips' 30 cores and 0 to the neighbour core.
  EXPECT_NEAR(average_hops(build_torus(torus(4, 4, 2))), 64.0 / 31, 1e-12);
  EXPECT_EQ(average_hops(build_torus(torus(1, 1))), 0.0);
}

TEST(BisectionBandwidth, MatchesThePublishedTpuV3Pod) {
  // 32 rings x 2 cables x 100 GB/s = 6.4 TB/s
  EXPECT_NEAR(bisection_bandwidth(torus(32, 32, 2)).base(), 6.4e12, 1.0);
}

TEST(BisectionBandwidth, CutsTheLongerDimension) {
  EXPECT_EQ(bisection_bandwidth(torus(4, 8)), 800_GBps);  // 4 rings x 2 cables
  EXPECT_EQ(bisection_bandwidth(torus(2, 1)), 200_GBps);  // the two cables
  TorusSpec mesh = torus(4, 8);
  for (TorusDimension& dimension : mesh.dimensions) dimension.wrap = false;
  EXPECT_EQ(bisection_bandwidth(mesh), 400_GBps);
  EXPECT_EQ(bisection_bandwidth(torus(1, 1, 2)), 0_GBps);
}

}  // namespace
}  // namespace switchyard
