#include "sim/workload/routing/expert_shares.hpp"

#include <array>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"
#include "sim/workload/routing/popularity.hpp"
#include "tests/workload/routing/drawn_tokens.hpp"

namespace switchyard {
namespace {

using testing::expect_frequency;

constexpr std::size_t kDraws = 200'000;

/// How often each expert comes up, by `draw(rng)`.
template <class Draw>
std::vector<double> frequencies(std::size_t num_experts, Draw draw) {
  auto rng = stream_engine(5, {});
  std::vector<double> frequency(num_experts, 0.0);
  for (std::size_t i = 0; i < kDraws; ++i)
    frequency[static_cast<std::size_t>(draw(rng))] += 1.0 / kDraws;
  return frequency;
}

TEST(AliasTable, DrawsByShareOneByOneAndManyAtOnce) {
  const std::vector<double> shares{0.02, 0.5, 0.0, 0.3, 0.18};
  const AliasTable table{shares};
  const auto single = frequencies(5, [&](auto& rng) { return table.draw(rng); });
  std::array<std::int32_t, 5> five{};
  const auto filled = frequencies(5, [&](auto& rng) {
    table.fill(five, rng);
    return five[rng() % 5];
  });
  for (std::size_t e = 0; e < 5; ++e) {
    expect_frequency(single[e], shares[e], kDraws);
    expect_frequency(filled[e], shares[e], kDraws);
  }
}

TEST(AliasTable, PicksColumnsOverTheWholeRangeOfBits) {
  const AliasTable table{std::vector<double>(4, 0.25)};
  EXPECT_EQ(table.pick(0), 0);
  EXPECT_EQ(table.pick(0x3fffffffU), 0);
  EXPECT_EQ(table.pick(0x40000000U), 1);
  EXPECT_EQ(table.pick(0xffffffffU), 3);
}

TEST(AliasTable, NeverDrawsAShareOfZero) {
  const AliasTable table{std::vector<double>{0.0, 1.0, 0.0}};
  for (std::uint32_t high = 0; high < 256; ++high) {
    EXPECT_EQ(table.pick(high << 24), 1);
    EXPECT_EQ(table.pick((high << 24) + 0xffffffU), 1);
  }
}

TEST(ExpertShares, RestIsAccurateBesideAnExpertThatHasNearlyAll) {
  const ExpertShares shares{{1e-18, 1.0 - 4e-18, 3e-18}};
  const std::array<std::int32_t, 1> hot{1};
  const std::array<std::int32_t, 2> hot_and_first{1, 0};
  EXPECT_NEAR(shares.rest(hot) / 4e-18, 1.0, 1e-14);
  EXPECT_NEAR(shares.rest(hot_and_first) / 3e-18, 1.0, 1e-14);
  EXPECT_EQ(shares.rest({}), 1.0);
}

TEST(ExpertShares, RestOfAllIsNothing) {
  const ExpertShares shares{{0.25, 0.5, 0.25}};
  const std::array<std::int32_t, 3> all{2, 0, 1};
  EXPECT_EQ(shares.rest(all), 0.0);
}

TEST(ExpertShares, SearchAndRejectionGiveTheSameDistribution) {
  // Without experts 1 and 4: 0.1 : 0.15 : 0.2 of 0.45.
  const ExpertShares shares{{0.1, 0.3, 0.15, 0.2, 0.25}};
  const std::array<std::int32_t, 2> taken{4, 1};
  const auto found = frequencies(5, [&](auto& rng) { return shares.search_other(taken, rng); });
  const auto drawn = frequencies(5, [&](auto& rng) { return shares.draw_other(taken, rng); });
  for (const auto& frequency : {found, drawn}) {
    EXPECT_EQ(frequency[1], 0.0);
    EXPECT_EQ(frequency[4], 0.0);
    expect_frequency(frequency[0], 0.10 / 0.45, kDraws);
    expect_frequency(frequency[2], 0.15 / 0.45, kDraws);
    expect_frequency(frequency[3], 0.20 / 0.45, kDraws);
  }
}

TEST(ExpertShares, DrawsTheRestRightBesideAnExpertThatHasNearlyAll) {
  const ExpertShares shares{{1e-18, 1.0 - 4e-18, 3e-18}};
  const std::array<std::int32_t, 1> hot{1};
  const auto drawn = frequencies(3, [&](auto& rng) { return shares.draw_other(hot, rng); });
  EXPECT_EQ(drawn[1], 0.0);
  expect_frequency(drawn[2], 0.75, kDraws);
}

TEST(ExpertShares, DrawsAnyOfThoseThatNobodyLikesWhenNothingElseIsLeft) {
  const ExpertShares shares{{0.0, 1.0, 0.0, 0.0}};
  const std::array<std::int32_t, 2> taken{1, 2};
  const auto drawn = frequencies(4, [&](auto& rng) { return shares.draw_other(taken, rng); });
  expect_frequency(drawn[0], 0.5, kDraws);
  expect_frequency(drawn[3], 0.5, kDraws);
}

TEST(ExpertShares, ChoosesByPlackettLuce) {
  // P(i, then j) = p_i p_j / (1 - p_i), in blocks and one by one.
  const std::vector<double> p{0.5, 0.3, 0.2};
  const ExpertShares shares{p};
  std::map<std::pair<int, int>, double> in_rows;
  std::map<std::pair<int, int>, double> one_by_one;
  auto rng = stream_engine(6, {});
  std::vector<std::int32_t> rows(2 * kDraws);
  shares.draw_rows(rows, 2, rng);
  for (std::size_t i = 0; i < rows.size(); i += 2) in_rows[{rows[i], rows[i + 1]}] += 1.0 / kDraws;
  std::array<std::int32_t, 2> pair{};
  for (std::size_t i = 0; i < kDraws; ++i) {
    draw_choices(shares, pair, rng);
    one_by_one[{pair[0], pair[1]}] += 1.0 / kDraws;
  }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const double p_i = p[static_cast<std::size_t>(i)];
      const double p_j = p[static_cast<std::size_t>(j)];
      const double probability = i == j ? 0.0 : p_i * p_j / (1.0 - p_i);
      expect_frequency(in_rows[std::pair{i, j}], probability, kDraws);
      expect_frequency(one_by_one[std::pair{i, j}], probability, kDraws);
    }
}

TEST(ExpertShares, ChoosesAllExpertsOnceWhenAskedForAll) {
  auto rng = stream_engine(7, {});
  for (const PopularitySpec& popularity : std::initializer_list<PopularitySpec>{
           UniformPopularity{}, ZipfPopularity{3.0}, DirichletPopularity{1e-3}}) {
    const ExpertShares shares{draw_popularity(popularity, 64, rng)};
    std::vector<std::int32_t> rows(64 * 20);
    shares.draw_rows(rows, 64, rng);
    std::vector<std::int32_t> everyone(64);
    std::iota(everyone.begin(), everyone.end(), 0);
    for (auto row = rows.begin(); row != rows.end(); row += 64) {
      std::sort(row, row + 64);
      EXPECT_TRUE(std::equal(row, row + 64, everyone.begin()));
    }
  }
}

TEST(ExpertSharesDeathTest, RejectsWhatIsNoDistribution) {
  EXPECT_DEATH(ExpertShares{std::vector<double>{}}, "no experts");
  EXPECT_DEATH((ExpertShares{{0.5, 0.6}}), "sum 1.1");
  EXPECT_DEATH((ExpertShares{{-0.5, 1.5}}), "smallest share -0.5");
}

TEST(ExpertSharesDeathTest, CannotChooseAnotherWhenAllAreTaken) {
  const ExpertShares shares{{0.5, 0.5}};
  auto rng = stream_engine(1, {});
  const std::array<std::int32_t, 2> all{0, 1};
  EXPECT_DEATH((void)shares.draw_other(all, rng), "all 2 experts are taken");
}

}  // namespace
}  // namespace switchyard
