#include "cost_models/all_to_all.hpp"

#include <bit>
#include <random>

#include <gtest/gtest.h>

#include "cost_models/collective_time.hpp"
#include "cost_models/collectives.hpp"
#include "sim/core/error.hpp"
#include "tests/cost_models/data_flow.hpp"
#include "tests/cost_models/networks.hpp"
#include "tests/topologies/torus_shapes.hpp"

namespace switchyard {
namespace {

using namespace literals;
using enum CollectiveAlgorithm;

constexpr LinkSpec kPort{.bandwidth = 100_GBps, .latency = 0.5_us};  // alpha 1 us, B 100 GB/s

Topology two_nodes_of_four() {
  return nodes_of({.num_nodes = 2,
                   .ranks_per_node = 4,
                   .up = kPort,
                   .out = {.bandwidth = 50_GBps, .latency = 2_us}});
}

CollectiveRequest exchange(CollectiveAlgorithm algorithm, Bytes size) {
  return {.kind = CollectiveKind::kAllToAll, .algorithm = algorithm, .size = size};
}

Eigen::MatrixXd random_traffic(int ranks) {
  std::mt19937_64 random{11};
  Eigen::MatrixXd bytes = Eigen::MatrixXd::NullaryExpr(
      ranks, ranks, [&] { return static_cast<double>(random() % 1'000'000); });
  bytes.diagonal().setZero();
  return bytes;
}

double time_s(const CollectiveRequest& request, const Topology& topology) {
  return schedule_time(build_collective(request, topology), topology).base();
}

TEST(AllToAllFormulas, HoldOnAStar) {
  for (const int n : {1, 2, 3, 4, 5, 8}) {
    const Topology star = star_of(n, kPort);
    double bits = 0;  // blocks a rank sends in Bruck's rounds: bits set in 1 .. n - 1
    for (unsigned distance = 1; distance < static_cast<unsigned>(n); ++distance)
      bits += std::popcount(distance);
    const double rounds = n - 1;
    // A block of 1 MB takes 10 us.
    const std::vector<std::pair<CollectiveAlgorithm, double>> expected{
        {kDirect, n == 1 ? 0 : 1 + rounds * 10},
        {kPairwise, rounds * 11},
        {kBruck, std::bit_width(static_cast<unsigned>(n - 1)) + bits * 10},
        {kRing, rounds + n * rounds / 2 * 10}};
    for (const auto& [algorithm, time_us] : expected) {
      const CollectiveRequest request = exchange(algorithm, n * 1_MB);
      EXPECT_NEAR(time_s(request, star), time_us * 1e-6, 1e-14) << n << algorithm_name(algorithm);
      EXPECT_NEAR(closed_form_time(request, star).base(), time_us * 1e-6, 1e-14);
      EXPECT_NEAR(lower_bound(request, star).base(), rounds * 10e-6, 1e-14);
    }
  }
}

TEST(DirectAllToAll, DoesNotListUniformMessages) {
  const auto schedule = build_collective(exchange(kDirect, 64_MB), star_of(64, kPort));
  ASSERT_EQ(schedule.rounds.size(), 1u);
  EXPECT_TRUE(schedule.rounds[0].flows.empty());
  EXPECT_EQ(schedule.rounds[0].all_pairs->bytes, 1_MB);
}

TEST(TwoLevelAllToAll, TalksToItsNodeThenToItsRail) {
  const Topology topology = two_nodes_of_four();
  const auto schedule = build_collective(exchange(kTwoLevel, 8_MB), topology);
  // Within: 3 others, each gets what is for its place on both nodes, 2 MB: 6 MB / 100 GB/s = 60 us.
  // Between: the partner gets 4 MB: 80 us. 1 + 60 + 4 + 80.
  EXPECT_NEAR(schedule_time(schedule, topology).base(), 145e-6, 1e-12);
  ASSERT_EQ(schedule.rounds.size(), 2u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 24u);  // 8 ranks * 3
  EXPECT_EQ(schedule.rounds[1].flows.size(), 8u);
  // Direct: 4 blocks out, 80 us, 3 within; together 4 + 80.
  EXPECT_NEAR(time_s(exchange(kDirect, 8_MB), topology), 84e-6, 1e-12);
}

TEST(DeduplicatedAllToAll, SendsATokenOncePerNode) {
  const Topology topology = two_nodes_of_four();
  CollectiveRequest request = exchange(kTwoLevelDeduplicated, 8_MB);
  request.deduplication = TokenDeduplication{.ranks_per_node = 2.0};
  const auto schedule = build_collective(request, topology);
  // Between: 4 MB of copies are 2 MB of tokens: 4 us + 40 us. Within: a rank gives 3 others the
  // 1 MB that its partner sent for each, and its own 1 MB: 6 MB, 60 us; 1 us.
  EXPECT_NEAR(schedule_time(schedule, topology).base(), 105e-6, 1e-12);
  EXPECT_NEAR(total_bytes(schedule, 8).base(), 8 * (2e6 + 6e6), 1.0);
  // The combine sends the same back.
  request.deduplication->combine = true;
  const auto combine = build_collective(request, topology);
  EXPECT_NEAR(schedule_time(combine, topology).base(), 105e-6, 1e-12);
  EXPECT_EQ(combine.rounds[0].flows.size(), schedule.rounds[1].flows.size());
  EXPECT_LE(lower_bound(request, topology).base(), 105e-6);
}

TEST(DeduplicatedAllToAll, TakesBytesToNodes) {
  const Topology topology = two_nodes_of_four();
  CollectiveRequest request = exchange(kTwoLevelDeduplicated, {});
  Eigen::MatrixXd traffic = Eigen::MatrixXd::Zero(8, 8);
  traffic(0, 4) = traffic(0, 5) = 1e6;  // one token to two ranks of the other node
  request.traffic = {traffic};
  Eigen::MatrixXd to_node = Eigen::MatrixXd::Zero(8, 2);
  to_node(0, 1) = 1e6;
  request.deduplication = TokenDeduplication{.bytes_to_node = {to_node}};
  const auto schedule = build_collective(request, topology);
  ASSERT_EQ(schedule.rounds.size(), 2u);
  ASSERT_EQ(schedule.rounds[0].flows.size(), 1u);
  EXPECT_EQ(schedule.rounds[0].flows[0].destination, RankId{4});
  EXPECT_EQ(schedule.rounds[0].flows[0].bytes, 1_MB);
  ASSERT_EQ(schedule.rounds[1].flows.size(), 1u);  // rank 4 keeps its own and forwards to 5
  EXPECT_EQ(schedule.rounds[1].flows[0].source, RankId{4});
  EXPECT_EQ(schedule.rounds[1].flows[0].destination, RankId{5});
  // 1 MB leaves rank 0 once at 100 + 50 GB/s; it enters node 1 over four ports of 50; rank 4 or 5
  // gets 1 MB at 150 GB/s: 6.7 us.
  EXPECT_NEAR(lower_bound(request, topology).base(), 1e6 / 150e9, 1e-15);
}

TEST(DeduplicatedAllToAll, RejectsWhatCannotBe) {
  const Topology topology = two_nodes_of_four();
  CollectiveRequest request = exchange(kTwoLevelDeduplicated, 8_MB);
  request.deduplication = TokenDeduplication{.ranks_per_node = 0.5};
  EXPECT_THROW((void)build_collective(request, topology), ConfigError);
  request.deduplication = TokenDeduplication{.bytes_to_node = {Eigen::MatrixXd::Zero(8, 3)}};
  EXPECT_THROW((void)build_collective(request, topology), ConfigError);
}

TEST(TorusAllToAll, GoesOneDimensionAfterTheOther) {
  const LinkSpec cable{.bandwidth = 100_GBps, .latency = Seconds{0}};
  const Topology topology = build_torus(torus_of({4, 4}, cable));
  // Each ring of 4 exchanges 16 MB / 4 between all: S L / (8 b) = 16 MB * 4 / 800 GB/s = 80 us for
  // x, the same for y. Direct keeps both busy at once: 80 us.
  EXPECT_NEAR(time_s(exchange(kTorus, 16_MB), topology), 160e-6, 1e-14);
  EXPECT_NEAR(time_s(exchange(kDirect, 16_MB), topology), 80e-6, 1e-14);
  const auto schedule = build_collective(exchange(kTorus, 16_MB), topology);
  EXPECT_EQ(schedule.rounds.size(), 2u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 48u);  // 16 * 3, not 16 * 15
  const Topology boxy = build_torus(torus_of({8, 4, 4}, cable));
  // 128 MB * (8 + 4 + 4) / 800 GB/s = 2560 us; direct 128 MB * 8 / 800 GB/s = 1280 us
  EXPECT_NEAR(time_s(exchange(kTorus, 128_MB), boxy), 2560e-6, 1e-12);
  EXPECT_NEAR(time_s(exchange(kDirect, 128_MB), boxy), 1280e-6, 1e-12);
}

TEST(TorusAllToAll, NeedsABox) {
  EXPECT_THROW((void)build_collective(exchange(kTorus, 1_MB), star_of(4, kPort)), ConfigError);
  CollectiveRequest request = exchange(kTorus, 1_MB);
  request.groups = {{RankId{0}, RankId{1}, RankId{2}, RankId{4}, RankId{5}}};
  EXPECT_THROW((void)build_collective(request, build_torus(torus_of({4, 4}, kPort))), ConfigError);
}

class AllToAllMatrix : public ::testing::TestWithParam<std::tuple<CollectiveAlgorithm, int>> {};

/// Bytes come from where the matrix says and go where it says, whatever they pass on the way: what
/// a rank receives less what it sends is its column less its row.
void expect_delivery(const CollectiveSchedule& schedule, const Eigen::MatrixXd& traffic,
                     const std::string& name) {
  const auto n = static_cast<int>(traffic.rows());
  const RankBytes bytes = rank_bytes(schedule, n);
  const auto knows = reach(schedule, n);
  for (int r = 0; r < n; ++r) {
    const auto at = static_cast<std::size_t>(r);
    EXPECT_NEAR((bytes.received[at] - bytes.sent[at]).base(),
                traffic.col(r).sum() - traffic.row(r).sum(), 1e-3)
        << name;
    EXPECT_GE(bytes.sent[at].base() + 1e-3, traffic.row(r).sum()) << name;
    for (int s = 0; s < n; ++s) {
      EXPECT_TRUE(traffic(s, r) == 0 || knows[at][static_cast<std::size_t>(s)]) << name;
    }
  }
}

TEST_P(AllToAllMatrix, ArrivesAndRespectsTheBound) {
  const auto [algorithm, ranks] = GetParam();
  const Eigen::MatrixXd traffic = random_traffic(ranks);
  for (const Topology& topology : {star_of(ranks, kPort),
                                   nodes_of({.num_nodes = ranks / 2,
                                   .ranks_per_node = 2,
                                   .up = kPort,
                                   .out = {.bandwidth = 50_GBps, .latency = 2_us}}),
                                   build_torus(torus_of({ranks / 2}, kPort, 2))}) {
    if (num_ranks(topology) != ranks || (algorithm == kTorus && !topology.torus)) continue;
    CollectiveRequest request = exchange(algorithm, {});
    request.traffic = {traffic};
    const auto schedule = build_collective(request, topology);
    expect_delivery(schedule, traffic, topology.name);
    const double time = schedule_time(schedule, topology).base();
    EXPECT_GE(time * (1 + 1e-12), lower_bound(request, topology).base()) << topology.name;
    EXPECT_GE(closed_form_time(request, topology).base() * (1 + 1e-12),
              lower_bound(request, topology).base());
    request.traffic = {2 * traffic};
    EXPECT_GE(closed_form_time(request, topology).base(), time * (1 - 1e-12)) << topology.name;
  }
}

INSTANTIATE_TEST_SUITE_P(AllToAll, AllToAllMatrix,
                         ::testing::Combine(::testing::Values(kDirect, kPairwise, kBruck, kRing,
                                                              kTwoLevel, kTorus),
                                            ::testing::Values(2, 4, 6, 8, 10, 16)));

TEST(AllToAllMatrixFormulas, AreTheLargestSumAndTheLargestOfEachRound) {
  const Topology star = star_of(3, kPort);
  CollectiveRequest request = exchange(kDirect, {});
  Eigen::MatrixXd traffic(3, 3);
  traffic << 9, 1, 2,  //
      3, 9, 4,         //
      5, 6, 9;
  request.traffic = {1e6 * traffic};
  // Rows 3, 7, 11; columns 8, 7, 6 MB: 1 us + 110 us.
  EXPECT_NEAR(closed_form_time(request, star).base(), 111e-6, 1e-14);
  EXPECT_NEAR(time_s(request, star), 111e-6, 1e-14);
  EXPECT_NEAR(lower_bound(request, star).base(), 110e-6, 1e-14);
  // Distance 1: 1, 4, 5; distance 2: 2, 3, 6 MB: 51 + 61 us.
  request.algorithm = kPairwise;
  EXPECT_NEAR(closed_form_time(request, star).base(), 112e-6, 1e-14);
  EXPECT_NEAR(time_s(request, star), 112e-6, 1e-14);
}

TEST(AllToAllGroups, StayAmongThemselves) {
  const Topology star = star_of(6, kPort);
  CollectiveRequest request = exchange(kDirect, 3_MB);
  request.groups = {{RankId{0}, RankId{2}, RankId{4}}, {RankId{5}, RankId{3}, RankId{1}}};
  const auto schedule = build_collective(request, star);
  ASSERT_EQ(schedule.rounds.size(), 1u);
  EXPECT_EQ(schedule.rounds[0].flows.size(), 12u);
  for (const Flow& flow : schedule.rounds[0].flows)
    EXPECT_EQ(flow.source.value() % 2, flow.destination.value() % 2);
  EXPECT_NEAR(closed_form_time(request, star).base(), 21e-6, 1e-14);  // 1 us + 2 MB / 100 GB/s
}

}  // namespace
}  // namespace switchyard
