#include "sim/engine/collective_result.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"
#include "tests/topologies/torus_shapes.hpp"
#include "topologies/fat_tree.hpp"

namespace switchyard {
namespace {

using namespace literals;

constexpr LinkSpec kCable{.bandwidth = 100_GBps, .latency = Seconds{0}};

Eigen::MatrixXd lognormal_traffic(int ranks, std::uint64_t seed) {
  auto rng = stream_engine(seed, {});
  Eigen::MatrixXd bytes{ranks, ranks};
  for (Eigen::Index row = 0; row < ranks; ++row)
    for (Eigen::Index column = 0; column < ranks; ++column)
      bytes(row, column) = 1e6 * std::exp(0.5 * standard_normal(rng));
  return bytes;
}

Seconds fluid_time(const CollectiveRequest& request, const Topology& topology) {
  return simulate_collective({.engine = EngineKind::kFluid}, request, topology, {}).time;
}

TEST(SimulateCollective, SaysHowTheFluidEngineFoundTheTime) {
  const Topology torus = build_torus(torus_of({4, 4}, kCable));
  const CollectiveEngine fluid{.engine = EngineKind::kFluid};
  CollectiveRequest request{
      .kind = CollectiveKind::kAllToAll, .algorithm = CollectiveAlgorithm::kDirect, .size = 16_MB};
  // k^3 m / (8 b) with k = 4 and m = 1 MB: 64 MB / 800 GB/s = 80 us, which is also the bound.
  const CollectiveResult uniform = simulate_collective(fluid, request, torus, {});
  EXPECT_EQ(uniform.method, "symmetry");
  EXPECT_NEAR(uniform.time.base(), 80e-6, 1e-15);
  EXPECT_NEAR(uniform.bound.base(), 80e-6, 1e-15);
  request.traffic = {lognormal_traffic(16, 1)};
  EXPECT_EQ(simulate_collective(fluid, request, torus, {}).method, "flows");
  request.traffic.clear();
  request.algorithm = CollectiveAlgorithm::kPairwise;
  EXPECT_EQ(simulate_collective(fluid, request, torus, {}).method, "events");
}

TEST(SimulateCollective, GroupsIrregularFlowsOnlyWhereThereAreMany) {
  // 400 ranks send 400 * 399 = 159,600 messages, more than kGroupedFrom. The grouped makespan is
  // never below the bound, and within 1 % of it here.
  const Topology torus = build_torus(torus_of({20, 20}, kCable));
  const CollectiveRequest request{.kind = CollectiveKind::kAllToAll,
                                  .algorithm = CollectiveAlgorithm::kDirect,
                                  .traffic = {lognormal_traffic(400, 1)}};
  const CollectiveResult result =
      simulate_collective({.engine = EngineKind::kFluid}, request, torus, {});
  EXPECT_EQ(result.method, "grouped");
  EXPECT_GE(result.time, result.link_load);
  EXPECT_LE(result.time, 1.01 * result.link_load);
}

TEST(SimulateCollective, DoesNotCareWhoIsWhoInASymmetricNetwork) {
  // A translation by two chips along x and four along y moves every path of the torus onto a path;
  // moving the traffic with it changes nothing.
  const Topology torus = build_torus(torus_of({6, 8}, kCable));
  const auto moved = [](int rank) { return (rank % 6 + 2) % 6 + (rank / 6 + 4) % 8 * 6; };
  const Eigen::MatrixXd bytes = lognormal_traffic(48, 3);
  Eigen::MatrixXd permuted{48, 48};
  for (int row = 0; row < 48; ++row)
    for (int column = 0; column < 48; ++column)
      permuted(moved(row), moved(column)) = bytes(row, column);
  CollectiveRequest request{.kind = CollectiveKind::kAllToAll,
                            .algorithm = CollectiveAlgorithm::kDirect,
                            .traffic = {bytes}};
  const double time = fluid_time(request, torus).base();
  request.traffic = {permuted};
  EXPECT_NEAR(fluid_time(request, torus).base(), time, 1e-12 * time);
}

TEST(SimulateCollective, NeverGetsFasterWithMoreBytes) {
  // One round whose bytes all grow by a factor takes longer by that factor: rates do not depend on
  // sizes until a flow ends, and all ends move alike.
  const Topology torus = build_torus(torus_of({4, 6}, kCable));
  const Eigen::MatrixXd bytes = lognormal_traffic(24, 5);
  CollectiveRequest request{.kind = CollectiveKind::kAllToAll,
                            .algorithm = CollectiveAlgorithm::kDirect,
                            .traffic = {bytes}};
  const double time = fluid_time(request, torus).base();
  request.traffic = {1.75 * bytes};
  EXPECT_NEAR(fluid_time(request, torus).base(), 1.75 * time, 1e-9 * time);
}

TEST(BusBandwidth, IsThatOfNcclTests) {
  // 8 ranks, 1 GB in 5 ms: algbw 200 GB/s; all-reduce times 2 * 7/8 = 350, all-to-all times 7/8.
  const Seconds time{5e-3};
  EXPECT_NEAR(bus_bandwidth(CollectiveKind::kAllReduce, 8, 1_GB, time).base(), 350e9, 1.0);
  EXPECT_NEAR(bus_bandwidth(CollectiveKind::kAllToAll, 8, 1_GB, time).base(), 175e9, 1.0);
  EXPECT_NEAR(bus_bandwidth(CollectiveKind::kPointToPoint, 8, 1_GB, time).base(), 200e9, 1.0);
  EXPECT_EQ(algorithm_bandwidth(1_GB, Seconds{0}), BytesPerSecond{0});
}

FatTreeSpec fat_tree() {
  FatTreeSpec spec;
  spec.leaves = 16;
  spec.hosts_per_leaf = 16;
  spec.spines = 16;
  spec.host_link = kCable;
  return spec;
}

class EnginesOnPhases : public ::testing::TestWithParam<bool> {};

TEST_P(EnginesOnPhases, AgreeOnTwoHundredAndFiftySixRanks) {
  if (!has_simgrid()) GTEST_SKIP() << "built without SimGrid";
  // One phase at a time: SimGrid's time grows with the square of the flows under way at once. On
  // the torus the first 20 phases, because long dependent chains on shared links amplify rounding
  // (all 255: 1 % apart); in the fat tree no phase shares a link.
  const Topology topology =
      GetParam() ? build_fat_tree(fat_tree()) : build_torus(torus_of({16, 16}, kCable));
  TaskGraph graph;
  graph.schedules.push_back(build_collective({.kind = CollectiveKind::kAllToAll,
                                              .algorithm = CollectiveAlgorithm::kPairwise,
                                              .size = 256_MB},
                                             topology));
  if (!GetParam()) graph.schedules.front().rounds.resize(20);
  graph.tasks.emplace_back();
  graph.tasks.back().schedule = 0;
  const Timeline fluid = execute(EngineKind::kFluid, graph, topology);
  const Timeline simgrid = execute(EngineKind::kSimGrid, graph, topology);
  for (std::size_t rank = 0; rank < fluid.spans.size(); ++rank)
    EXPECT_NEAR(simgrid.spans[rank].end / fluid.spans[rank].end, 1.0, 1e-6) << "rank " << rank;
}

INSTANTIATE_TEST_SUITE_P(SimulateCollective, EnginesOnPhases, ::testing::Bool());

}  // namespace
}  // namespace switchyard
