#include "sim/engine/round_times.hpp"

#include <gtest/gtest.h>

#include "sim/engine/flow_classes.hpp"
#include "tests/engine/random_flows.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::plain_torus;

RoundTimes flow_by_flow(Bytes bytes, const Topology& topology) {
  Round round;
  for (int source = 0; source < num_ranks(topology); ++source)
    for (int to = 0; to < num_ranks(topology); ++to)
      if (source != to) round.flows.push_back({RankId{source}, RankId{to}, bytes});
  return round_times(round, topology);
}

void expect_equal(const RoundTimes& times, const RoundTimes& expected) {
  ASSERT_EQ(times.left.size(), expected.left.size());
  for (std::size_t rank = 0; rank < times.left.size(); ++rank)
    EXPECT_NEAR(times.left[rank] / expected.left[rank], 1.0, 1e-9) << rank;
  EXPECT_NEAR(times.bound / expected.bound, 1.0, 1e-12);
}

TEST(RoundTimes, SayTheirMethod) {
  const Round pairs{.all_pairs = AllPairs{1_MB}};
  Topology topology = build_torus(plain_torus(4, 4));
  EXPECT_EQ(method_name(round_times(pairs, topology).method), "symmetry");
  topology.symmetry.reset();
  EXPECT_EQ(method_name(round_times(pairs, topology).method), "refinement");
  EXPECT_EQ(method_name(flow_by_flow(1_MB, topology).method), "flows");
}

TEST(RoundTimes, AreTheSameByAllMethods) {
  TorusSpec cores = plain_torus(4, 4, 1_us);
  cores.ranks_per_router = 2;
  cores.on_chip = {.bandwidth = 300_GBps, .latency = 0.1_us};
  TorusSpec mesh = plain_torus(5, 3, 1_us);
  for (TorusDimension& dimension : mesh.dimensions) dimension.wrap = false;
  for (const TorusSpec& spec :
       {plain_torus(4, 4), plain_torus(6, 4, 1_us), plain_torus(5, 3, 1_us),
        plain_torus(6, 6, 1_us, TieBreak::kFixed), plain_torus(2, 4), cores, mesh}) {
    Topology topology = build_torus(spec);
    const Round pairs{.all_pairs = AllPairs{1_MB}};
    const RoundTimes expected = flow_by_flow(1_MB, topology);
    expect_equal(round_times(pairs, topology), expected);
    topology.symmetry.reset();
    expect_equal(round_times(pairs, topology), expected);
  }
}

TEST(RoundTimes, MeetTheClosedFormOnATorus) {
  // k^3 m / (8 b) = 32768 * 1 MB / 800 GB/s
  const Round pairs{.all_pairs = AllPairs{1_MB}};
  const RoundTimes times = round_times(pairs, build_torus(plain_torus(32, 32)));
  EXPECT_NEAR(times.makespan.base(), 40.96e-3, 1e-15);
  EXPECT_NEAR(times.bound.base(), 40.96e-3, 1e-15);
  for (const Seconds left : times.left) EXPECT_EQ(left, times.makespan);
}

TEST(RoundTimes, CountOnlyMessagesOfTheRank) {
  const Round round{.flows = {{RankId{0}, RankId{1}, 100_MB}, {RankId{2}, RankId{3}, 50_MB}}};
  const RoundTimes times = round_times(round, build_torus(plain_torus(8, 1, 1_us)));
  EXPECT_NEAR(times.left[0].base(), 1.001e-3, 1e-15);
  EXPECT_NEAR(times.left[1].base(), 1.001e-3, 1e-15);
  EXPECT_NEAR(times.left[3].base(), 0.501e-3, 1e-15);
  EXPECT_EQ(times.left[5], Seconds{});
}

TEST(Refine, JoinsLikeFlowsAndLinks) {
  // Without ties (odd rings) every rank sees the same: a class for each displacement up to what
  // cannot be told apart; all cables of a direction are alike, so far fewer classes than flows.
  const Topology topology = build_torus(plain_torus(5, 5));
  std::vector<Flow> flows = testing::lognormal_all_to_all(25, 0.0, 1);
  const Refinement refinement = refine(make_flow_set(topology, flows));
  EXPECT_LE(refinement.classes.bytes.size(), 24U);
  EXPECT_LE(refinement.classes.capacity.size(), 5U);  // the four directions, and unused ports
  flows[7].bytes *= 2.0;
  EXPECT_GT(refine(make_flow_set(topology, flows)).classes.bytes.size(), 24U);
}

}  // namespace
}  // namespace switchyard
