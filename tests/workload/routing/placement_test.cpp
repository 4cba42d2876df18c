#include "sim/workload/routing/placement.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;

std::vector<std::vector<int>> ranks(const ExpertPlacement& placement) {
  std::vector<std::vector<int>> result;
  for (const auto& holders : placement.ranks_of) {
    result.emplace_back();
    for (const RankId rank : holders) result.back().push_back(rank.value());
  }
  return result;
}

std::vector<int> one(int rank) { return {rank}; }

TEST(ContiguousPlacement, KeepsNeighboursTogether) {
  EXPECT_THAT(ranks(contiguous_placement(4, 2)), ElementsAre(one(0), one(0), one(1), one(1)));
  // 5 experts on 3 ranks: 0 * 3 / 5, 3 / 5, 6 / 5, 9 / 5, 12 / 5, rounded down.
  EXPECT_THAT(ranks(contiguous_placement(5, 3)),
              ElementsAre(one(0), one(0), one(1), one(1), one(2)));
}

TEST(ContiguousPlacement, LeavesRanksEmptyWhereExpertsAreFewer) {
  EXPECT_THAT(ranks(contiguous_placement(2, 8)), ElementsAre(one(0), one(4)));
}

TEST(RoundRobinPlacement, DealsExpertsOut) {
  EXPECT_THAT(ranks(round_robin_placement(5, 2)),
              ElementsAre(one(0), one(1), one(0), one(1), one(0)));
}

TEST(ReplicatedPlacement, ReplicatesTheHottestExpertAndPacksTheHeaviestFirst) {
  // Loads 10, 4, 3 and one more place: expert 0 twice, 5 each. Packed 5 (rank 0), 5 (rank 1),
  // 4 (rank 0, the first of equals), 3 (rank 1): loads 9 and 8.
  const std::vector<double> loads{10, 4, 3};
  EXPECT_THAT(ranks(replicated_placement(loads, 2, 1)),
              ElementsAre(ElementsAre(0, 1), one(0), one(1)));
}

TEST(ReplicatedPlacement, GivesTheNextPlaceByLoadPerReplica) {
  // Loads 12, 7, 1: the first extra place goes to expert 0 (then 6 each), the second to expert 1
  // (7 > 6), the third to expert 0 again (6): 3, 2 and 1 replicas.
  const std::vector<double> loads{12, 7, 1};
  const ExpertPlacement placement = replicated_placement(loads, 3, 3);
  EXPECT_EQ(placement.ranks_of[0].size(), 3u);
  EXPECT_EQ(placement.ranks_of[1].size(), 2u);
  EXPECT_EQ(placement.ranks_of[2].size(), 1u);
}

TEST(ReplicatedPlacement, HoldsAnExpertOncePerRank) {
  // All the load is one expert's, but it cannot have more than 3 replicas.
  const std::vector<double> loads{1, 0, 0};
  const ExpertPlacement placement = replicated_placement(loads, 3, 3);
  EXPECT_THAT(placement.ranks_of[0], ElementsAre(RankId{0}, RankId{1}, RankId{2}));
}

TEST(ReplicatedPlacement, FillsEveryRankWithDistinctExpertsWhateverTheLoads) {
  auto rng = stream_engine(5, {});
  for (int i = 0; i < 2000; ++i) {
    const int num_ranks = 1 + static_cast<int>(uniform_below(6, rng));
    const int places = 1 + static_cast<int>(uniform_below(6, rng));
    const int num_places = num_ranks * places;
    // Each expert up to once per rank: at least `places` experts.
    const int num_experts = places + static_cast<int>(uniform_below(
                                         static_cast<std::uint64_t>(num_places - places) + 1, rng));
    std::vector<double> loads(static_cast<std::size_t>(num_experts));
    for (double& load : loads)
      load = std::floor(std::exp(2.0 * standard_normal(rng)));  // with ties and zeros
    const ExpertPlacement placement =
        replicated_placement(loads, num_ranks, num_places - num_experts);
    std::vector<int> held(static_cast<std::size_t>(num_ranks), 0);
    for (const auto& holders : placement.ranks_of) {
      ASSERT_FALSE(holders.empty());
      ASSERT_EQ(std::ranges::adjacent_find(holders, std::greater_equal{}), holders.end());
      for (const RankId rank : holders) ++held[rank.index()];
    }
    for (const int count : held) ASSERT_EQ(count, places);
  }
}

TEST(ReplicatedPlacement, BalancesBetterThanNeighboursTogether) {
  // Zipf loads 1/(e + 1), 32 experts on 8 ranks. Contiguous, rank 0 has 1 + 1/2 + 1/3 + 1/4 = 2.083
  // of 4.058 in all: imbalance 4.1. With 8 more places expert 0 falls to 1/4 a replica or less, so
  // no rank needs to be far above the mean 0.507; list scheduling ends below mean + largest weight.
  std::vector<double> loads;
  for (int e = 0; e < 32; ++e) loads.push_back(1.0 / (e + 1));
  const ExpertPlacement placement = replicated_placement(loads, 8, 8);
  std::vector<double> by_rank(8, 0.0);
  for (std::size_t e = 0; e < loads.size(); ++e)
    for (const RankId rank : placement.ranks_of[e])
      by_rank[rank.index()] += loads[e] / static_cast<double>(placement.ranks_of[e].size());
  EXPECT_LT(*std::ranges::max_element(by_rank), 0.507 + 0.25);
}

TEST(ReplicatedPlacementDeathTest, RejectsPlacesThatRanksDoNotShareEvenly) {
  const std::vector<double> loads{1, 1, 1};
  EXPECT_DEATH((void)replicated_placement(loads, 2, 0), "3 experts and 0 more places on 2 ranks");
}

TEST(ReplicatedPlacementDeathTest, RejectsMorePlacesThanReplicas) {
  const std::vector<double> loads{1, 1};
  EXPECT_DEATH((void)replicated_placement(loads, 2, 4), "2 experts and 4 more places on 2 ranks");
}

TEST(ReplicaFor, StaysOnTheSourceIfItCan) {
  const ExpertPlacement placement{.num_ranks = 6, .ranks_of = {{RankId{1}, RankId{3}, RankId{5}}}};
  EXPECT_EQ(replica_for(placement, 0, RankId{3}), RankId{3});
  // Elsewhere: source mod 3 replicas.
  EXPECT_EQ(replica_for(placement, 0, RankId{0}), RankId{1});
  EXPECT_EQ(replica_for(placement, 0, RankId{2}), RankId{5});
  EXPECT_EQ(replica_for(placement, 0, RankId{4}), RankId{3});
}

}  // namespace
}  // namespace switchyard
