#include "cost_models/expert_parallel.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using namespace literals;
using enum TransferDirection;

TEST(ExpectedDistinctGroups, CountsByHand) {
  // 2 of 4 experts in 2 groups of 2: of C(4, 2) = 6 pairs, 2 lie in one group and 4 in both:
  // (2 * 1 + 4 * 2) / 6 = 10/6.
  EXPECT_NEAR(expected_distinct_groups(2, 4, 2), 10.0 / 6, 1e-15);
  // 3 of 6 in 3 groups of 2: of 20 triples, 2^3 = 8 touch three groups, the other 12 two.
  EXPECT_NEAR(expected_distinct_groups(3, 6, 3), (8 * 3 + 12 * 2) / 20.0, 1e-15);
}

TEST(ExpectedDistinctGroups, HasItsLimits) {
  EXPECT_EQ(expected_distinct_groups(8, 256, 0), 0);
  EXPECT_NEAR(expected_distinct_groups(8, 256, 1), 1.0, 1e-12);
  EXPECT_NEAR(expected_distinct_groups(8, 256, 256), 8.0, 1e-12);
  EXPECT_NEAR(expected_distinct_groups(8, 8, 3), 3.0, 1e-12);  // one expert a group
  EXPECT_EQ(expected_distinct_groups(1, 256, 8), 1.0);
}

TEST(ExpectedDestinations, StayWithinTheLimitedNodes) {
  ExpertParallelShape shape{.ranks = 32, .num_experts = 64, .top_k = 4, .d_model = 1};
  // Limited to 1 of 4 nodes: a draw among that node's 16 experts on 8 ranks.
  shape.limited_nodes = 1;
  EXPECT_EQ(expected_destinations(shape).nodes, 1.0);
  EXPECT_NEAR(expected_destinations(shape).ranks, expected_distinct_groups(8, 16, 4), 1e-12);
  // Limited to all is not limited.
  shape.limited_nodes = 4;
  EXPECT_NEAR(expected_destinations(shape).nodes, expected_distinct_groups(4, 64, 4), 1e-12);
}

/// Constants of round numbers; 100 GB/s of NVLink usable, 10 GB/s a card.
ExpertParallelProfile round_profile() {
  ExpertParallelProfile profile;
  profile.links = {.scale_up = 200_GBps, .scale_up_usable = 100_GBps, .scale_out = 10_GBps};
  NormalTransferConstants normal{.startup = 20_us,
                                 .startup_between = 30_us,
                                 .pipeline_depth = 4,
                                 .per_token = 1_us,
                                 .per_token_megabyte = 100_us,
                                 .per_rank_megabyte = 50_us,
                                 .per_node_megabyte = 200_us,
                                 .scale_up_efficiency = 0.5,
                                 .notify = 40_us,
                                 .notify_share = 0.1};
  profile.normal = {.dispatch = normal,
                    .combine = normal,
                    .dispatch_bands = {.one_node_p90 = 0.1, .two_nodes_p90 = 0.2},
                    .combine_bands = {.one_node_p90 = 0.1, .two_nodes_p90 = 0.2}};
  LowLatencyConstants low{.startup = 5_us,
                          .startup_between = 8_us,
                          .per_expert = 10_ns,
                          .per_token = 1_us,
                          .per_token_megabyte = 100_us,
                          .per_message_megabyte = 50_us,
                          .scale_up_efficiency = 0.5};
  profile.low_latency = {.dispatch = low,
                         .combine = low,
                         .dispatch_bands = {.one_node_p90 = 0.1, .two_nodes_p90 = 0.2},
                         .combine_bands = {.one_node_p90 = 0.1, .two_nodes_p90 = 0.2}};
  return profile;
}

/// One choice among 8 experts on 8 ranks, 5000 elements of 2 bytes: b = 0.01 MB, r = 1.
ExpertParallelShape one_choice() {
  return {.ranks = 8,
          .num_experts = 8,
          .top_k = 1,
          .tokens_per_rank = 10'000,
          .d_model = 5000,
          .dispatch_bytes_per_element = 2.0};
}

TEST(NormalTransferTime, FollowsTheFormulaInOneNode) {
  // W = 1 + 0.01 * 100 + 0.01 * 50 = 2.5 us. SMs: 10000 * 2.5 / 20 = 1250 us.
  // NVLink: 10000 * 7/8 * 0.01 MB / (0.5 * 100 GB/s) = 1750 us.
  // (1250^8 + 1750^8)^(1/8) = 1750 * (1 + (5/7)^8)^(1/8) = 1750 * 1.06777^(1/8) = 1764.4 us.
  const ExpertParallelProfile profile = round_profile();
  const TransferTime time = normal_transfer_time(profile, profile.links, one_choice(), kDispatch);
  EXPECT_NEAR(time.transmit.base() * 1e6, 20 + 4 * 2.5 + 1764.4, 0.1);
  EXPECT_EQ(time.notify, Seconds{});
  EXPECT_EQ(time.provenance, Provenance::kFitted);
  EXPECT_EQ(time.error_band, 0.1);
}

TEST(NormalTransferTime, CrossesToEachNodeOnceAndNotifies) {
  // 16 experts on 16 ranks, two nodes: r = n = 1, so half of the tokens cross:
  // card: 10000 * 1/2 * 0.01 MB / 10 GB/s = 5000 us, which hides the rest:
  // SMs: 10000 * (2.5 + 0.01 * 200) / 20 = 2250 us; (2250/5000)^8 = 0.0017 -> 5001.05 us.
  // NVLink 1750 us as above adds nothing visible.
  ExpertParallelProfile profile = round_profile();
  ExpertParallelShape shape = one_choice();
  shape.ranks = shape.num_experts = 16;
  const TransferTime time = normal_transfer_time(profile, profile.links, shape, kDispatch);
  EXPECT_NEAR(time.transmit.base() * 1e6, 30 + 4 * 2.5 + 5001.05, 0.2);
  EXPECT_NEAR(time.notify / (40_us + 0.1 * time.transmit), 1.0, 1e-12);
  EXPECT_EQ(time.total(), time.notify + time.transmit);
}

TEST(NormalTransferTime, IsShorterWithMoreSmsUntilTheLinkBinds) {
  const ExpertParallelProfile profile = round_profile();
  Seconds before{1.0};
  for (const int sms : {1, 4, 8, 20, 100}) {
    ExpertParallelShape shape = one_choice();
    shape.communication_sms = sms;
    const Seconds time = normal_transfer_time(profile, profile.links, shape, kCombine).transmit;
    EXPECT_LT(time, before);
    before = time;
  }
  EXPECT_GT(before, 1750_us);
}

TEST(LowLatencyTransferTime, UsesAnSmForEachExpertAndSendsEachChoice) {
  // 8 experts: 8 SMs. W = 1 + 0.01 * 100 + 0.01 * 50 = 2.5 us; 10000 * 2.5 / 8 = 3125 us.
  // NVLink 1750 us: (1750/3125)^8 = 0.00967 -> 3125 * 1.0012 = 3128.8 us.
  // T = 5 + 8 * 0.01 + 2.5 + 3128.8 us.
  const ExpertParallelProfile profile = round_profile();
  EXPECT_NEAR(
      low_latency_transfer_time(profile, profile.links, one_choice(), kDispatch).transmit.base() *
          1e6,
      5 + 0.08 + 2.5 + 3128.8, 0.2);
}

TEST(LowLatencyTransferTime, SharesSmsBetweenManyExperts) {
  // 264 experts on 132 SMs are two each on all; 160 are two each on 80. Per-SM work alone:
  // tokens * W / SMs, so the times without startup are as 80 to 132.
  ExpertParallelProfile profile = round_profile();
  profile.low_latency.dispatch.per_expert = {};
  const auto work = [&](int experts) {
    ExpertParallelShape shape = one_choice();
    shape.num_experts = experts;
    shape.d_model = 1;  // the link carries next to nothing
    return low_latency_transfer_time(profile, profile.links, shape, kDispatch).transmit - 6_us;
  };
  EXPECT_NEAR(work(160) / work(264), 132.0 / 80, 1e-3);
}

TEST(TransferTimes, OfNoTokensAreTheStartup) {
  const ExpertParallelProfile profile = round_profile();
  ExpertParallelShape shape = one_choice();
  shape.tokens_per_rank = 0;
  EXPECT_NEAR(normal_transfer_time(profile, profile.links, shape, kDispatch).total().base() * 1e6,
              20 + 4 * 2.5, 1e-9);
  EXPECT_NEAR(
      low_latency_transfer_time(profile, profile.links, shape, kDispatch).total().base() * 1e6,
      5 + 0.08 + 2.5, 1e-9);
}

TEST(TransferTimes, GrowWithTheTokensAndStayAboveTheBound) {
  const ExpertParallelProfile profile = round_profile();
  for (const int ranks : {8, 16, 64})
    for (const TransferDirection direction : {kDispatch, kCombine})
      for (const auto time_of : {normal_transfer_time, low_latency_transfer_time}) {
        Seconds before;
        for (double tokens = 1; tokens < 1e6; tokens *= 2) {
          const ExpertParallelShape shape{.ranks = ranks,
                                          .num_experts = 256,
                                          .top_k = 8,
                                          .tokens_per_rank = tokens,
                                          .d_model = 7168};
          const TransferTime time = time_of(profile, profile.links, shape, direction);
          EXPECT_GT(time.transmit, before);
          EXPECT_GE(time.transmit, time.lower_bound);
          before = time.transmit;
        }
      }
}

TEST(TransferTimes, AboveTwoNodesOrOnOtherLinksAreExtrapolatedWithAWiderBand) {
  const ExpertParallelProfile profile = round_profile();
  ExpertParallelShape shape = one_choice();
  shape.num_experts = 64;
  ExpertParallelLinks other = profile.links;
  other.scale_up_usable = 50_GBps;
  EXPECT_EQ(normal_transfer_time(profile, other, shape, kDispatch).provenance,
            Provenance::kExtrapolated);
  shape.ranks = 64;
  const TransferTime time = normal_transfer_time(profile, profile.links, shape, kDispatch);
  EXPECT_EQ(time.provenance, Provenance::kExtrapolated);
  EXPECT_EQ(time.error_band, 0.4);
}

TEST(TransferLowerBound, CountsEachTokenOncePerNodeAndOncePerRank) {
  // One node: 10000 tokens * 7/8 leave for one rank each: 8750 * 0.01 MB / 200 GB/s = 437.5 us.
  const ExpertParallelLinks links = round_profile().links;
  ExpertParallelShape shape = one_choice();
  EXPECT_NEAR(transfer_lower_bound(shape, links, kDispatch).base() * 1e6, 437.5, 1e-9);
  // Two nodes: half cross the cards: 5000 * 0.01 MB / 10 GB/s = 5000 us; over all links
  // 10000 * 15/16 * 0.01 MB / 210 GB/s = 446 us counts less.
  shape.ranks = shape.num_experts = 16;
  EXPECT_NEAR(transfer_lower_bound(shape, links, kDispatch).base() * 1e6, 5000, 1e-9);
}

TEST(ExpectedDestinationsDeathTest, NeedsExpertsInEqualNumbers) {
  ExpertParallelShape shape = one_choice();
  shape.num_experts = 12;
  EXPECT_DEATH((void)expected_destinations(shape), "12 experts on 8 ranks");
}

}  // namespace
}  // namespace switchyard
