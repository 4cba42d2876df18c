#include "sim/workload/routing/assign_slots.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/random.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr std::int32_t kNone = kNoExpert;

TokenChoices rows(int num_choices, std::vector<std::int32_t> experts,
                  std::vector<float> gates = {}) {
  return {.num_choices = num_choices, .experts = std::move(experts), .gates = std::move(gates)};
}

/// Tokens with distinct experts, uniformly at random, and random gates.
TokenChoices random_choices(std::size_t num_tokens, int num_choices, int num_experts,
                            std::uint64_t seed) {
  auto rng = stream_engine(seed, {});
  TokenChoices choices{.num_choices = num_choices, .experts = {}, .gates = {}};
  std::vector<std::int32_t> experts(static_cast<std::size_t>(num_experts));
  for (std::size_t e = 0; e < experts.size(); ++e) experts[e] = static_cast<std::int32_t>(e);
  for (std::size_t token = 0; token < num_tokens; ++token)
    for (std::size_t c = 0; c < static_cast<std::size_t>(num_choices); ++c) {
      std::swap(experts[c], experts[c + uniform_below(experts.size() - c, rng)]);
      choices.experts.push_back(experts[c]);
      choices.gates.push_back(static_cast<float>(open_unit(rng)));
    }
  return choices;
}

std::ptrdiff_t num_dropped(const std::vector<std::int32_t>& receivers) {
  return std::ranges::count(receivers, kNone);
}

TEST(AssignSlots, GivesAllFirstChoicesASlotBeforeAnySecondWhenChoiceMajor) {
  // One slot each. Token 0 gets expert 0, token 1 expert 1; both second choices find it taken.
  const TokenChoices choices = rows(2, {0, 1,  //
                                        1, 0});
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kChoiceMajor}, 2, 2, 1),
              ElementsAre(0, kNone, 1, kNone));
}

TEST(AssignSlots, GivesATokensChoicesSlotsTogetherWhenTokenMajor) {
  // The same tokens: now token 0 takes both slots.
  const TokenChoices choices = rows(2, {0, 1,  //
                                        1, 0});
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kTokenMajor}, 2, 2, 1),
              ElementsAre(0, 1, kNone, kNone));
}

TEST(AssignSlots, GivesSlotsByFallingGate) {
  // In order: 0.9 (token 1, expert 0) gets it, 0.6 (token 0, expert 0) does not, 0.4 (token 0,
  // expert 1) does, 0.1 does not.
  const TokenChoices choices = rows(2, {0, 1, 0, 1}, {0.6F, 0.4F, 0.9F, 0.1F});
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kGate}, 2, 2, 1),
              ElementsAre(kNone, 1, 0, kNone));
}

TEST(AssignSlots, PrefersASecondChoiceWithALargerGate) {
  // Token 1's second choice (0.45) comes before token 0's first (0.4): no choice-major order.
  const TokenChoices choices = rows(2, {0, 1, 1, 0}, {0.4F, 0.3F, 0.5F, 0.45F});
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kGate}, 2, 2, 1),
              ElementsAre(kNone, kNone, 1, 0));
}

TEST(AssignSlots, BreaksTiesOfGatesByToken) {
  const TokenChoices choices = rows(1, {0, 0, 0, 0}, {0.5F, 0.7F, 0.5F, 0.7F});
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kGate}, 1, 1, 3),
              ElementsAre(0, 0, kNone, 0));
}

TEST(AssignSlots, GivesNothingToChoicesThatWereNotMade) {
  const TokenChoices choices = rows(2, {0, kNone, 0, 1, 1, kNone}, {1, 0, 0.5F, 0.5F, 1, 0});
  // Expert 0: tokens 0 and 1, expert 1: tokens 1 and 2, one slot each. Token 1 comes too late for
  // the first and, choice-major and by gate, for the second.
  for (const auto priority : {SlotPriority::kChoiceMajor, SlotPriority::kGate})
    EXPECT_THAT(assign_slots(choices, {.priority = priority}, 2, 2, 1),
                ElementsAre(0, kNone, kNone, kNone, 1, kNone));
  EXPECT_THAT(assign_slots(choices, {.priority = SlotPriority::kTokenMajor}, 2, 2, 1),
              ElementsAre(0, kNone, kNone, 1, kNone, kNone));
}

TEST(AssignSlots, ReroutesInRounds) {
  // One slot each. First choices: token 0 gets expert 0, token 2 expert 1. Round 1: token 1 asks
  // expert 1 in vain, token 3 gets expert 2. Round 2: token 1 asks expert 2, which is gone.
  const TokenChoices choices = rows(3, {0, 1, 2,  //
                                        0, 1, 2,  //
                                        1, 0, 2,  //
                                        0, 2, 1});
  for (const auto priority : {SlotPriority::kChoiceMajor, SlotPriority::kTokenMajor})
    EXPECT_THAT(assign_slots(choices, {.priority = priority, .reroute_attempts = 2}, 3, 1, 1),
                ElementsAre(0, kNone, 1, 2));
}

TEST(AssignSlots, TriesAsOftenAsToldTo) {
  // Token 1 finds experts 0 and 1 full; expert 2 has a slot, at the second attempt.
  const TokenChoices choices = rows(3, {0, 1, 2,  //
                                        0, 1, 2,  //
                                        1, 0, 2});
  const auto receivers = [&](int attempts) {
    return assign_slots(choices, {.reroute_attempts = attempts}, 3, 1, 1);
  };
  EXPECT_THAT(receivers(0), ElementsAre(0, kNone, 1));
  EXPECT_THAT(receivers(1), ElementsAre(0, kNone, 1));
  EXPECT_THAT(receivers(2), ElementsAre(0, 2, 1));
}

TEST(AssignSlots, ReroutesTheChoicesOfATokenToDifferentExperts) {
  // Both choices of token 1 find nothing: the first goes to expert 2, the second to expert 3.
  const TokenChoices choices = rows(4, {0, 1, 2, 3,  //
                                        0, 1, 2, 3});
  EXPECT_THAT(assign_slots(choices, {.reroute_attempts = 2}, 4, 2, 1), ElementsAre(0, 1, 2, 3));
  // With one attempt there is one more expert for the token.
  EXPECT_THAT(assign_slots(choices, {.reroute_attempts = 1}, 4, 2, 1), ElementsAre(0, 1, 2, kNone));
}

TEST(AssignSlots, ReroutesByFallingGate) {
  // Expert 0 goes to token 2 (0.9). Then tokens 1 (0.8) and 0 (0.7) ask expert 1.
  const TokenChoices choices = rows(2, {0, 1, 0, 1, 0, 1}, {0.7F, 0.0F, 0.8F, 0.0F, 0.9F, 0.0F});
  EXPECT_THAT(
      assign_slots(choices, {.priority = SlotPriority::kGate, .reroute_attempts = 1}, 2, 1, 1),
      ElementsAre(kNone, 1, 0));
}

TEST(AssignSlots, KeepsAllWhereEveryTokenFitsIntoOneExpert) {
  const TokenChoices choices = random_choices(50, 3, 8, 1);
  EXPECT_THAT(assign_slots(choices, {}, 8, 3, 50), ElementsAreArray(choices.experts));
  // Of four columns the last is for rerouting.
  const std::vector<std::int32_t> first = assign_slots(rows(2, {4, 5, 6, 7}), {}, 8, 1, 2);
  EXPECT_THAT(first, ElementsAre(4, 6));
}

TEST(AssignSlots, GivesNothingWithoutSlots) {
  const TokenChoices choices = random_choices(10, 3, 4, 1);
  EXPECT_EQ(num_dropped(assign_slots(choices, {.reroute_attempts = 1}, 4, 2, 0)), 20);
}

TEST(AssignSlots, FillsEachExpertWhateverThePriority) {
  // An expert with n choices keeps min(n, C) of them; the priority only decides which.
  const TokenChoices choices = random_choices(200, 2, 16, 3);
  constexpr std::int64_t kCapacity = 24;
  for (const auto priority :
       {SlotPriority::kChoiceMajor, SlotPriority::kTokenMajor, SlotPriority::kGate}) {
    const auto receivers = assign_slots(choices, {.priority = priority}, 16, 2, kCapacity);
    for (std::int32_t expert = 0; expert < 16; ++expert)
      EXPECT_EQ(std::ranges::count(receivers, expert),
                std::min(kCapacity, std::ranges::count(choices.experts, expert)))
          << expert;
  }
}

TEST(AssignSlots, DropsNoMoreWithMoreAttempts) {
  for (const auto priority :
       {SlotPriority::kChoiceMajor, SlotPriority::kTokenMajor, SlotPriority::kGate})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const TokenChoices choices = random_choices(100, 6, 8, seed);
      std::ptrdiff_t previous = 200;
      for (int attempts = 0; attempts <= 4; ++attempts) {
        const auto receivers =
            assign_slots(choices, {.priority = priority, .reroute_attempts = attempts}, 8, 2, 20);
        EXPECT_LE(num_dropped(receivers), previous);
        previous = num_dropped(receivers);
        for (std::int32_t expert = 0; expert < 8; ++expert)
          EXPECT_LE(std::ranges::count(receivers, expert), 20);
        for (std::size_t token = 0; token < 100; ++token) {
          const std::int32_t a = receivers[2 * token];
          EXPECT_TRUE(a == kNone || a != receivers[2 * token + 1]) << token;
        }
      }
    }
}

TEST(SlotAssigner, BeginsEveryScopeAnew) {
  // Scopes smaller and larger than the number of experts: slots are emptied in two ways.
  for (const std::size_t num_tokens : {3U, 500U}) {
    const SlotSpec spec{.reroute_attempts = 1};
    SlotAssigner assigner{spec, 64, 2, 2};
    for (std::uint64_t scope = 0; scope < 5; ++scope) {
      const TokenChoices choices = random_choices(num_tokens, 3, 64, scope);
      EXPECT_THAT(assigner.assign(choices), ElementsAreArray(assign_slots(choices, spec, 64, 2, 2)))
          << scope;
    }
  }
}

TEST(SlotAssignerDeathTest, RejectsTooFewColumns) {
  EXPECT_DEATH((void)assign_slots(rows(1, {0}), {}, 4, 2, 1), "1 columns, top_k 2");
}

TEST(SlotAssignerDeathTest, NeedsGatesToSortByThem) {
  EXPECT_DEATH((void)assign_slots(rows(1, {0, 0}), {.priority = SlotPriority::kGate}, 1, 1, 1),
               "0 gates of 2 choices");
}

TEST(SlotAssignerDeathTest, RejectsANegativeCapacity) {
  EXPECT_DEATH((void)assign_slots(rows(1, {0}), {}, 1, 1, -1), "capacity -1");
}

}  // namespace
}  // namespace switchyard
