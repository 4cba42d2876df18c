#include "sim/workload/routing/expert_choice.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

TEST(DrawExpertChoice, FillsEveryExpertWithDistinctTokens) {
  auto rng = stream_engine(1, {});
  const ExpertChoice choice = draw_expert_choice(40, 6, 15, rng);
  ASSERT_EQ(choice.first.size(), 41u);
  EXPECT_EQ(choice.first.back(), 6 * 15);
  for (std::int32_t expert = 0; expert < 6; ++expert)
    EXPECT_EQ(std::ranges::count(choice.experts, expert), 15);
  for (std::size_t token = 0; token < 40; ++token) {
    const auto experts = choice.experts_of(token);
    // Strictly ascending: no expert has the token twice.
    EXPECT_EQ(std::ranges::adjacent_find(experts, std::greater_equal{}), experts.end());
  }
}

TEST(DrawExpertChoice, TakesAllTokensWithRoomForAll) {
  auto rng = stream_engine(1, {});
  const ExpertChoice choice = draw_expert_choice(5, 3, 5, rng);
  for (std::size_t token = 0; token < 5; ++token) EXPECT_EQ(choice.experts_of(token).size(), 3u);
}

TEST(DrawExpertChoice, MakesEverySetOfTokensEquallyLikely) {
  // One expert takes 2 of 3 tokens: each token is left out with probability 1/3. Over 9000 draws
  // the standard error of a count is sqrt(9000 * 1/3 * 2/3) = 44.7.
  auto rng = stream_engine(2, {});
  std::array<int, 3> left_out{};
  for (int i = 0; i < 9000; ++i) {
    const ExpertChoice choice = draw_expert_choice(3, 1, 2, rng);
    for (std::size_t token = 0; token < 3; ++token)
      if (choice.experts_of(token).empty()) ++left_out.at(token);
  }
  for (const int count : left_out) EXPECT_NEAR(count, 3000, 3 * 44.7);
}

TEST(DrawExpertChoice, LeavesTheExpectedShareOfTokensOut) {
  // q = (1 - C/T)^E. Two tokens are left out together less often than independently, so the
  // variance of the share over N tokens is at most q (1 - q) / N.
  struct Case {
    std::int64_t num_tokens;
    int num_experts;
    std::int64_t capacity;
  };
  for (const auto& [num_tokens, num_experts, capacity] :
       {Case{1024, 16, 64}, Case{1024, 16, 128}, Case{512, 128, 4}, Case{256, 2, 200}}) {
    auto rng = stream_engine(3, {});
    constexpr int kGroups = 40;
    std::int64_t left_out = 0;
    for (int group = 0; group < kGroups; ++group) {
      const ExpertChoice choice = draw_expert_choice(num_tokens, num_experts, capacity, rng);
      for (std::size_t token = 0; token + 1 < choice.first.size(); ++token)
        left_out += choice.experts_of(token).empty() ? 1 : 0;
    }
    const auto n = static_cast<double>(kGroups * num_tokens);
    const double share = std::pow(
        1.0 - static_cast<double>(capacity) / static_cast<double>(num_tokens), num_experts);
    EXPECT_NEAR(static_cast<double>(left_out) / n, share,
                3.0 * std::sqrt(share * (1.0 - share) / n));
  }
}

TEST(DrawExpertChoiceDeathTest, RejectsMoreSlotsThanTokens) {
  auto rng = stream_engine(1, {});
  EXPECT_DEATH((void)draw_expert_choice(4, 2, 5, rng), "2 experts choose 5 of 4 tokens");
}

}  // namespace
}  // namespace switchyard
