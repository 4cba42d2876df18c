#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "sim/workload/routing/expert_shares.hpp"

namespace switchyard {

/// Shares of a layer's experts in equal contiguous groups.
struct GroupedShares {
  std::vector<ExpertShares> within;  ///< by group, of its experts alone
  std::vector<double> mass;          ///< by group; sum 1
};

/// @param shares  by expert, sum 1
[[nodiscard]] GroupedShares group_shares(std::span<const double> shares, int num_groups);

/// Draws the choices of tokens that may use only their `groups_per_token` best groups.
///
/// Each group runs a race of its own (see token_gate.hpp); together they are one race of all
/// experts. A group's score is the sum of sigmoid(logit) = 1 / (1 + T) over its two first arrivals,
/// with logits such that shares sum to 1; the best groups are taken, ties in order of groups; then
/// experts in order of arrival within them. Only what is needed of each race is drawn: cost
/// O(groups
/// + choices * groups_per_token) for each token, whatever the number of experts.
/// Source: DeepSeek-AI, "DeepSeek-V3 Technical Report", arXiv:2412.19437, 2024 (node-limited
///         routing, there M = 4 of 8 nodes).
class NodeLimitedChoice {
 public:
  NodeLimitedChoice(int num_groups, int groups_per_token, int num_choices);

  /// Fills `chosen` (num_choices) in order of preference. Precondition: that many experts in any
  /// groups_per_token groups.
  void draw(const GroupedShares& groups, std::span<std::int32_t> chosen, std::mt19937_64& rng);

  /// Arrival times of the last token's choices, ascending; infinite for shares of 0.
  [[nodiscard]] std::span<const double> times() const { return times_; }

 private:
  struct Race {
    std::int32_t first = 0;  ///< within the group, as all that are taken
    double first_time = 0.0;
    double second_time = 0.0;
    double next_time = 0.0;
    double rest = 1.0;  ///< of the group's shares, of all but the taken
    double score = 0.0;
    std::vector<std::int32_t> taken;
  };
  void start(const GroupedShares& groups, std::mt19937_64& rng);

  int groups_per_token_;
  std::vector<Race> races_;            ///< by group
  std::vector<std::size_t> by_score_;  ///< groups
  std::vector<double> times_;
};

}  // namespace switchyard
