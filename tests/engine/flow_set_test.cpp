#include "sim/engine/flow_set.hpp"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "sim/engine/water_filling.hpp"
#include "tests/engine/random_flows.hpp"

namespace switchyard {
namespace {

using testing::lognormal_all_to_all;
using testing::plain_torus;

/// Flows over links given by number.
FlowSet flow_set(const std::vector<double>& capacity, const std::vector<std::vector<int>>& paths,
                 const std::vector<double>& bytes, const std::vector<double>& start = {}) {
  FlowSet set;
  for (const double rate : capacity) set.capacity.emplace_back(rate);
  for (const auto& path : paths) {
    for (const int link : path) set.links.emplace_back(link);
    set.first_link.push_back(static_cast<std::uint32_t>(set.links.size()));
  }
  for (const double size : bytes) set.bytes.emplace_back(size);
  for (const double date : start) set.start.emplace_back(date);
  return set;
}

/// The definition, step by step: rates are found anew whenever a flow begins or ends.
std::vector<double> times_by_definition(const FlowSet& set) {
  const std::size_t flows = num_flows(set);
  const auto start = [&](std::size_t f) { return set.start.empty() ? 0.0 : set.start[f].base(); };
  std::vector<double> left;
  for (const Bytes bytes : set.bytes) left.push_back(bytes.base());
  std::vector<double> finish(flows, -1.0);
  std::vector<bool> begun(flows, false);
  WaterFilling filling{set};
  const auto rate = [&](std::size_t f) { return filling.level(filling.bottleneck(f)); };
  double now = 0;
  while (std::ranges::any_of(finish, [](double date) { return date < 0; })) {
    for (std::size_t f = 0; f < flows; ++f) {
      if (begun[f] || start(f) > now) continue;
      begun[f] = true;
      filling.activate(f);
    }
    filling.solve();
    double next = std::numeric_limits<double>::infinity();
    for (std::size_t f = 0; f < flows; ++f) {
      if (!begun[f]) next = std::min(next, start(f));
      if (filling.is_active(f)) next = std::min(next, now + left[f] / rate(f));
    }
    for (std::size_t f = 0; f < flows; ++f) {
      if (!filling.is_active(f)) continue;
      left[f] -= rate(f) * (next - now);
      if (left[f] > 1e-12 * rate(f) * next) continue;
      finish[f] = next;
      filling.deactivate(f);
    }
    now = next;
  }
  return finish;
}

void expect_as_defined(const FlowSet& set) {
  const FlowTimes times = exact_times(set);
  const std::vector<double> expected = times_by_definition(set);
  for (std::size_t f = 0; f < num_flows(set); ++f)
    ASSERT_NEAR(times.finish[f].base(), expected[f], 1e-9 * expected[f]) << "flow " << f;
  EXPECT_NEAR(times.makespan.base(), std::ranges::max(expected), 1e-9 * times.makespan.base());
  EXPECT_GE(times.makespan * (1 + 1e-12), times.bound);
}

FlowSet all_to_all(const TorusSpec& torus, std::uint64_t seed) {
  return make_flow_set(build_torus(torus), lognormal_all_to_all(num_ranks(torus), 0.5, seed));
}

TEST(WaterFilling, FindsTheRatesOfTheTextbook) {
  // Bertsekas and Gallager, figure 6.11, in our words: links of 1; link 0 has flows a, b and c, so
  // each gets 1/3. Link 1 has c and d: d gets the other 2/3.
  const FlowSet set = flow_set({1, 1}, {{0}, {0}, {0, 1}, {1}}, {1, 1, 1, 1});
  WaterFilling filling{set};
  for (std::size_t f = 0; f < 4; ++f) filling.activate(f);
  filling.solve();
  EXPECT_DOUBLE_EQ(filling.level(0), 1.0 / 3);
  EXPECT_DOUBLE_EQ(filling.level(1), 2.0 / 3);
  EXPECT_EQ(filling.bottleneck(2), 0U);
  EXPECT_EQ(filling.bottleneck(3), 1U);
}

TEST(WaterFilling, GivesWhatLimitedFlowsLeaveToTheOthers) {
  const FlowSet set = flow_set({1}, {{0}, {0}, {0}}, {1, 1, 1});
  WaterFilling filling{set};
  for (std::size_t f = 0; f < 3; ++f) filling.activate(f);
  filling.solve(std::vector<double>{0.1, 0.4, 9.0});
  // A third each at first; the first uses 0.1 only, so 0.45 for the others; the second uses 0.4.
  EXPECT_EQ(filling.bottleneck(0), WaterFilling::kNone);
  EXPECT_EQ(filling.bottleneck(1), WaterFilling::kNone);
  EXPECT_DOUBLE_EQ(filling.level(0), 0.5);
}

TEST(ExactTimes, FollowsTheArithmetic) {
  // Two flows of 1 and 3 bytes on a link of 1 B/s: half each until 2 s, then 2 bytes alone: 4 s.
  const FlowTimes times = exact_times(flow_set({1}, {{0}, {0}}, {1, 3}));
  EXPECT_DOUBLE_EQ(times.finish[0].base(), 2.0);
  EXPECT_DOUBLE_EQ(times.finish[1].base(), 4.0);
  EXPECT_DOUBLE_EQ(times.bound.base(), 4.0);
}

TEST(ExactTimes, LetsFlowsBeginLater) {
  // 3 bytes alone until 1 s, half of 1 B/s until the other's 1 byte is through at 3 s, the last
  // byte alone: 4 s.
  const FlowTimes times = exact_times(flow_set({1}, {{0}, {0}}, {3, 1}, {0, 1}));
  EXPECT_DOUBLE_EQ(times.finish[0].base(), 4.0);
  EXPECT_DOUBLE_EQ(times.finish[1].base(), 3.0);
}

TEST(ExactTimes, CanBeLongerThanTheBusiestLinkNeeds) {
  // Links of 1 B/s. Link 1 has b and d with 2 bytes each, so the bound is 4 s. b also crosses link
  // 0 and d link 2, each beside three flows of 0.3 bytes: a quarter each until 1.2 s. By then link
  // 1 has carried 2 * 0.3 bytes; the other 3.4 take 3.4 s.
  const FlowTimes times = exact_times(flow_set(
      {1, 1, 1}, {{0, 1}, {0}, {0}, {0}, {2, 1}, {2}, {2}, {2}}, {2, .3, .3, .3, 2, .3, .3, .3}));
  EXPECT_DOUBLE_EQ(times.bound.base(), 4.0);
  EXPECT_DOUBLE_EQ(times.finish[1].base(), 1.2);
  EXPECT_DOUBLE_EQ(times.makespan.base(), 4.6);
}

TEST(ExactTimes, IsTheDefinitionForRandomBytes) {
  expect_as_defined(all_to_all(plain_torus(4, 4), 1));
  expect_as_defined(all_to_all(plain_torus(5, 3), 2));
  expect_as_defined(all_to_all(plain_torus(6, 6), 3));
  expect_as_defined(all_to_all(plain_torus(6, 4, Seconds{0}, TieBreak::kFixed), 4));
}

TEST(ExactTimes, IsTheDefinitionWithLatencies) {
  expect_as_defined(all_to_all(plain_torus(4, 4, Seconds{1e-6}), 5));
  expect_as_defined(all_to_all(plain_torus(5, 5, Seconds{1e-5}), 6));
}

TEST(ExactTimes, IsTheDefinitionOnRandomPaths) {
  auto random = stream_engine(7, {});
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> capacity(8);
    for (double& rate : capacity) rate = 1 + static_cast<double>(random() % 4);
    std::vector<std::vector<int>> paths(60);
    std::vector<double> bytes;
    for (auto& path : paths) {
      std::vector<int> links(8);
      std::iota(links.begin(), links.end(), 0);
      std::shuffle(links.begin(), links.end(), random);
      path.assign(links.begin(), links.begin() + 1 + static_cast<int>(random() % 4));
      bytes.push_back(1 + static_cast<double>(random() % 5));  // with ties
    }
    expect_as_defined(flow_set(capacity, paths, bytes));
  }
}

TEST(ExactTimes, MeetsTheBoundOfAUniformAllToAll) {
  // k^3 m / (8 b) = 512 * 1 MB / (8 * 100 GB/s)
  std::vector<Flow> flows = lognormal_all_to_all(64, 0.0, 1);
  const FlowTimes times = exact_times(make_flow_set(build_torus(plain_torus(8, 8)), flows));
  EXPECT_NEAR(times.makespan.base(), 640e-6, 1e-15);
  EXPECT_NEAR(times.bound.base(), 640e-6, 1e-15);
  EXPECT_EQ(times.num_steps, 1);
}

TEST(ExactTimes, ScalesWithBytes) {
  FlowSet set = all_to_all(plain_torus(4, 4), 8);
  const FlowTimes once = exact_times(set);
  for (Bytes& bytes : set.bytes) bytes *= 2.0;
  const FlowTimes twice = exact_times(set);
  EXPECT_NEAR(twice.makespan / once.makespan, 2.0, 1e-12);
}

TEST(ExactTimes, IsNeverFasterOnOneLinkWithMoreBytes) {
  // On one link max-min sharing is work-conserving: the makespan is the sum of bytes.
  auto random = stream_engine(9, {});
  std::vector<double> bytes(20);
  for (double& size : bytes) size = testing::uniform(random);
  const std::vector<std::vector<int>> paths(20, {0});
  const double before = exact_times(flow_set({1}, paths, bytes)).makespan.base();
  EXPECT_NEAR(before, std::accumulate(bytes.begin(), bytes.end(), 0.0), 1e-12);
  bytes[3] += 0.25;
  EXPECT_NEAR(exact_times(flow_set({1}, paths, bytes)).makespan.base(), before + 0.25, 1e-12);
}

TEST(ExactTimes, TakesNoTimeForNothing) {
  const FlowTimes times = exact_times(flow_set({1}, {}, {}));
  EXPECT_EQ(times.makespan, Seconds{});
  EXPECT_EQ(grouped_times(flow_set({1}, {}, {})).makespan, Seconds{});
}

TEST(GroupedTimes, IsCloseToExactAndNeverBelowTheBound) {
  const FlowSet set = all_to_all(plain_torus(8, 8), 10);
  const FlowTimes exact = exact_times(set);
  for (const double fraction : {0.05, 0.12, 0.25}) {
    for (const std::size_t exact_below : {0, 500}) {
      const FlowTimes grouped =
          grouped_times(set, {.fraction = fraction, .exact_below = exact_below});
      EXPECT_GE(grouped.makespan * (1 + 1e-12), grouped.bound);
      EXPECT_NEAR(grouped.makespan / exact.makespan, 1.0, 0.02) << fraction;
      double error = 0;
      for (std::size_t f = 0; f < num_flows(set); ++f)
        error += std::abs(grouped.finish[f] / exact.finish[f] - 1);
      // A step holds `fraction` of the flows; by how much an end can move within it is less.
      EXPECT_LT(error / static_cast<double>(num_flows(set)), fraction / 2) << fraction;
    }
  }
}

TEST(GroupedTimes, IsExactWhenAllFlowsAreAlike) {
  const FlowSet set =
      make_flow_set(build_torus(plain_torus(8, 8)), lognormal_all_to_all(64, 0.0, 1));
  const FlowTimes grouped = grouped_times(set, {.exact_below = 0});
  EXPECT_NEAR(grouped.makespan.base(), 640e-6, 1e-15);
  EXPECT_EQ(grouped.num_steps, 1);
}

TEST(MakeFlowSet, LeavesOutLinksThatCannotBind) {
  // Ports of 1 PB/s carry at most 63 flows of 100 GB/s; without them 4 x 4 hops are 2 hops per
  // message and dimension on average over all 16 ranks, itself included: 16 * 32 in all.
  const FlowSet set = all_to_all(plain_torus(4, 4), 11);
  EXPECT_EQ(set.links.size(), 16U * 32U);
  EXPECT_TRUE(set.start.empty());
}

}  // namespace
}  // namespace switchyard
