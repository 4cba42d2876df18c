#include "cost_models/build_collective.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"
#include "tests/cost_models/networks.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;
using enum CollectiveAlgorithm;
using ::testing::HasSubstr;

constexpr LinkSpec kPort{.bandwidth = 100_GBps, .latency = 0.5_us};

std::string problem(const CollectiveRequest& request, const Topology& topology) {
  try {
    (void)build_collective(request, topology);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no problem";
}

TEST(AlgorithmName, IsFoundAgain) {
  for (int k = 0; k <= static_cast<int>(kInSwitch); ++k) {
    const auto algorithm = static_cast<CollectiveAlgorithm>(k);
    EXPECT_EQ(find_algorithm(algorithm_name(algorithm)), algorithm);
  }
  EXPECT_EQ(find_algorithm("two-level-deduplicated"), kTwoLevelDeduplicated);
  EXPECT_FALSE(find_algorithm("nccl").has_value());
}

TEST(ChosenAlgorithm, IsTheTorusOnATorus) {
  const Topology torus = build_torus(torus_of({4, 4}, kPort, 2));
  for (const CollectiveKind kind :
       {CollectiveKind::kAllReduce, CollectiveKind::kAllGather, CollectiveKind::kReduceScatter})
    EXPECT_EQ(chosen_algorithm({.kind = kind, .size = 1_MB}, torus), kTorus);
  EXPECT_EQ(chosen_algorithm({.kind = CollectiveKind::kAllToAll, .size = 1_MB}, torus), kDirect);
  // No box: a ring serves any group.
  EXPECT_EQ(
      chosen_algorithm(
          {.kind = CollectiveKind::kAllReduce, .size = 1_MB, .groups = {{RankId{0}, RankId{3}}}},
          torus),
      kRing);
}

TEST(ChosenAlgorithm, GoesBySizeOnNodes) {
  const auto all_reduce = [](Bytes size) {
    return CollectiveRequest{.kind = CollectiveKind::kAllReduce, .size = size};
  };
  const Topology star = star_of(8, kPort);
  EXPECT_EQ(chosen_algorithm(all_reduce(1_kB), star), kDoubleBinaryTree);
  EXPECT_EQ(chosen_algorithm(all_reduce(100_MB), star), kRing);
  EXPECT_EQ(chosen_algorithm(all_reduce(1_kB), star, {.tree_up_to = 100_B}), kRing);
  EXPECT_EQ(chosen_algorithm(all_reduce(1_kB), star_of(2, kPort)), kRing);
  const Topology reducing = star_of(8, kPort, true);
  EXPECT_EQ(chosen_algorithm(all_reduce(1_kB), reducing), kInSwitch);
  EXPECT_EQ(chosen_algorithm(all_reduce(1_kB), reducing, {.in_switch_from = 10_kB}),
            kDoubleBinaryTree);
  EXPECT_EQ(chosen_algorithm(all_reduce(100_MB), reducing), kInSwitch);
  const Topology nodes = nodes_of({.num_nodes = 2,
                                   .ranks_per_node = 4,
                                   .up = kPort,
                                   .out = kPort,
                                   .in_switch_reduction = true});
  EXPECT_EQ(chosen_algorithm(all_reduce(100_MB), nodes), kRing);
  CollectiveRequest exchange{.kind = CollectiveKind::kAllToAll, .size = 1_MB};
  EXPECT_EQ(chosen_algorithm(exchange, nodes), kDirect);
  exchange.deduplication = TokenDeduplication{};
  EXPECT_EQ(chosen_algorithm(exchange, nodes), kTwoLevelDeduplicated);
}

TEST(ChosenAlgorithm, IsInTheSchedule) {
  EXPECT_EQ(build_collective({.kind = CollectiveKind::kAllReduce, .size = 1_GB}, star_of(8, kPort))
                .algorithm,
            "ring");
}

TEST(BuildCollective, CostsNothingForOneRankOrNoBytes) {
  const Topology star = star_of(4, kPort, true);
  for (const CollectiveKind kind :
       {CollectiveKind::kAllToAll, CollectiveKind::kAllReduce, CollectiveKind::kAllGather,
        CollectiveKind::kReduceScatter, CollectiveKind::kPointToPoint}) {
    for (const CollectiveAlgorithm algorithm : algorithms_of(kind)) {
      if (algorithm == kTorus) continue;
      EXPECT_EQ(num_rounds(build_collective({.kind = kind, .algorithm = algorithm}, star)), 0)
          << algorithm_name(algorithm);
      EXPECT_EQ(num_rounds(build_collective({.kind = kind,
                                             .algorithm = algorithm,
                                             .size = 1_MB,
                                             .groups = {{RankId{2}}, {RankId{0}}}},
                                            star)),
                0);
    }
  }
}

TEST(BuildCollective, SaysWhatIsWrongWithARequest) {
  const Topology star = star_of(4, kPort);
  CollectiveRequest request{.kind = CollectiveKind::kAllReduce, .size = 1_MB};
  request.groups = {{RankId{0}, RankId{4}}};
  EXPECT_THAT(problem(request, star), HasSubstr("names rank 4"));
  request.groups = {{RankId{0}, RankId{1}}, {RankId{1}, RankId{2}}};
  EXPECT_THAT(problem(request, star), HasSubstr("rank 1 is in groups 0 and 1"));
  request.groups = {{RankId{0}, RankId{0}}};
  EXPECT_THAT(problem(request, star), HasSubstr("twice"));
  request.groups = {{}};
  EXPECT_THAT(problem(request, star), HasSubstr("no ranks"));
  request.groups.clear();
  request.algorithm = kBruck;
  EXPECT_THAT(problem(request, star),
              HasSubstr("all-reduce has no algorithm bruck: choose one of"));
  request.algorithm = kTorus;
  EXPECT_THAT(problem(request, star), HasSubstr("is no torus"));
  request.algorithm = kInSwitch;
  EXPECT_THAT(problem(request, star), HasSubstr("no switches that can reduce"));
  request.algorithm = kAuto;
  request.size = Bytes{-1};
  EXPECT_THAT(problem(request, star), HasSubstr("not negative"));
  request.size = 1_MB;
  request.chunk = Bytes{0};
  EXPECT_THAT(problem(request, star), HasSubstr("chunk"));
  request.chunk = 1_kB;
  request.traffic = {Eigen::MatrixXd::Zero(4, 4)};
  EXPECT_THAT(problem(request, star), HasSubstr("is for an all-to-all"));
  request.kind = CollectiveKind::kAllToAll;
  request.traffic = {Eigen::MatrixXd::Zero(4, 3)};
  EXPECT_THAT(problem(request, star), HasSubstr("4 x 3"));
  request.traffic = {Eigen::MatrixXd::Constant(4, 4, -1)};
  EXPECT_THAT(problem(request, star), HasSubstr("finite and not negative"));
  request.traffic.resize(2);
  EXPECT_THAT(problem(request, star), HasSubstr("2 traffic matrices for 1 groups"));
}

TEST(LowerBound, CountsAllGroupsThatShareACut) {
  // Two groups of 4 with 2 ranks in each of two nodes. All-reduce of 8 MB: from each node 8 MB for
  // each group, over 4 ports of 50 GB/s: 80 us. All-to-all: 2 * 2 * 2 MB * 2 groups / 200 GB/s =
  // 80 us; a rank's ports, 150 GB/s: 40 us. All-gather: 2 * 2 * 2 MB / 200 GB/s = 40 us.
  const Topology topology = nodes_of({.num_nodes = 2,
                                      .ranks_per_node = 4,
                                      .up = kPort,
                                      .out = {.bandwidth = 50_GBps, .latency = 2_us}});
  CollectiveRequest request{.kind = CollectiveKind::kAllReduce, .size = 8_MB};
  request.groups = {{RankId{0}, RankId{1}, RankId{4}, RankId{5}},
                    {RankId{2}, RankId{3}, RankId{6}, RankId{7}}};
  // Sum of messages between ranks: 2 * 2 * 3 * 8 MB / (8 * 150 GB/s) = 80 us; between nodes: 2 * 2
  // * 8 MB / (2 * 200 GB/s) = 80 us.
  EXPECT_NEAR(lower_bound(request, topology).base(), 80e-6, 1e-15);
  request.kind = CollectiveKind::kAllToAll;
  EXPECT_NEAR(lower_bound(request, topology).base(), 80e-6, 1e-15);
  request.kind = CollectiveKind::kAllGather;
  EXPECT_NEAR(lower_bound(request, topology).base(), 40e-6, 1e-15);
  request.kind = CollectiveKind::kReduceScatter;
  EXPECT_NEAR(lower_bound(request, topology).base(), 40e-6, 1e-15);
}

TEST(LowerBound, IsAPortOfTheSumWhereTheSwitchAddsUp) {
  const CollectiveRequest request{.kind = CollectiveKind::kAllReduce, .size = 80_MB};
  // 2 * 7/8 * 80 MB / 100 GB/s, or one buffer
  EXPECT_NEAR(lower_bound(request, star_of(8, kPort)).base(), 1400e-6, 1e-12);
  EXPECT_NEAR(lower_bound(request, star_of(8, kPort, true)).base(), 800e-6, 1e-12);
}

/// Every algorithm of every kind on many networks and groups: never below the bound.
class AnyNetwork : public ::testing::TestWithParam<int> {
 protected:
  static Topology topology() {
    const LinkSpec cable{.bandwidth = 50_GBps, .latency = 1_us};
    TorusSpec narrow = torus_of({4, 3}, cable, 2);
    narrow.on_chip = {.bandwidth = 30_GBps, .latency = 0.1_us};
    switch (GetParam()) {
      case 0:
        return star_of(8, kPort);
      case 1:
        return star_of(7, kPort, true);
      case 2:
        return nodes_of({.num_nodes = 3, .ranks_per_node = 4, .up = kPort, .out = cable});
      case 3:
        return nodes_of({.num_nodes = 4,
                         .ranks_per_node = 2,
                         .up = kPort,
                         .out = {.bandwidth = 400_GBps, .latency = 1_us}});
      case 4:
        return build_torus(torus_of({8}, cable));
      case 5:
        return build_torus(torus_of({4, 3}, cable, 2));
      case 6:
        return build_torus(torus_of({2, 4, 3}, cable));
      case 7:
        return build_torus(torus_of({4, 4}, cable, 1, false));
      default:
        return build_torus(narrow);
    }
  }

  /// All ranks; every second rank; thirds of the ranks in turn; pairs of neighbours.
  static std::vector<std::vector<RankGroup>> groupings(int ranks) {
    std::vector<std::vector<RankGroup>> result(1);
    for (const int parts : {2, 3, ranks / 2}) {
      std::vector<RankGroup> groups(static_cast<std::size_t>(parts));
      for (int r = 0; r < ranks; ++r) groups[static_cast<std::size_t>(r % parts)].emplace_back(r);
      result.push_back(groups);
      groups.resize(1);
      result.push_back(groups);
    }
    return result;
  }
};

TEST_P(AnyNetwork, NoScheduleBeatsTheBound) {
  const Topology network = topology();
  int served = 0;
  for (const CollectiveKind kind :
       {CollectiveKind::kAllToAll, CollectiveKind::kAllReduce, CollectiveKind::kAllGather,
        CollectiveKind::kReduceScatter, CollectiveKind::kPointToPoint}) {
    for (const CollectiveAlgorithm algorithm : algorithms_of(kind)) {
      for (const auto& groups : groupings(num_ranks(network))) {
        const CollectiveRequest request{
            .kind = kind, .algorithm = algorithm, .size = 24_MB, .groups = groups};
        CollectiveSchedule schedule;
        try {
          schedule = build_collective(request, network);
        } catch (const ConfigError&) {
          continue;
        }
        ++served;
        const double bound = lower_bound(request, network).base();
        EXPECT_GT(bound, 0.0);
        // Even the busiest link alone is no faster, so no engine may be.
        EXPECT_GE(schedule_time(schedule, network).base() * (1 + 1e-12), bound)
            << kind_name(kind) << ' ' << algorithm_name(algorithm) << ' ' << groups.size();
      }
    }
  }
  EXPECT_GT(served, 80);
}

INSTANTIATE_TEST_SUITE_P(BuildCollective, AnyNetwork, ::testing::Range(0, 9));

}  // namespace
}  // namespace switchyard
