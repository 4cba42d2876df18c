#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "sim/workload/routing/alias_table.hpp"

namespace switchyard {

/// Draws that hit a taken expert before a choice is drawn from the rest by search: cheaper than the
/// search while more than about one in ten is free.
inline constexpr int kMaxRejections = 8;

[[nodiscard]] inline bool contains(std::span<const std::int32_t> experts, std::int32_t expert) {
  for (const std::int32_t other : experts)
    if (other == expert) return true;
  return false;
}

/// Weights of experts, and choices from those that are left when some are taken. Immutable.
class ExpertShares {
 public:
  /// @param shares  not negative, sum 1 (checked to 1e-9)
  explicit ExpertShares(std::vector<double> shares);

  [[nodiscard]] std::span<const double> shares() const { return shares_; }
  [[nodiscard]] double weight(std::int32_t expert) const {
    return shares_[static_cast<std::size_t>(expert)];
  }

  [[nodiscard]] double total() const { return 1.0; }

  /// Any expert, by share; see AliasTable for how exact.
  [[nodiscard]] std::int32_t draw(std::mt19937_64& rng) const { return table_.draw(rng); }

  /// The choices of many tokens, each `num_choices` distinct experts in order of preference.
  /// @param rows  (tokens, num_choices), row major
  void draw_rows(std::span<std::int32_t> rows, std::size_t num_choices, std::mt19937_64& rng) const;

  /// Sum of the shares of all but the `taken` (distinct), accurate even where they have nearly all.
  /// Cost: O(taken log taken).
  [[nodiscard]] double rest(std::span<const std::int32_t> taken) const;

  /// One that is not among the `taken`, in proportion to the shares; where these are all 0, any
  /// with the same probability. Precondition: one is left (checked). Takes a bounded number of
  /// numbers from the engine. Cost: O(taken log taken + log experts).
  [[nodiscard]] std::int32_t search_other(std::span<const std::int32_t> taken,
                                          std::mt19937_64& rng) const;

  /// The same, fast where the taken have not nearly all: draws and rejects, at most
  /// kMaxRejections times, before it searches.
  [[nodiscard]] std::int32_t draw_other(std::span<const std::int32_t> taken,
                                        std::mt19937_64& rng) const {
    for (int i = 0; i < kMaxRejections; ++i)
      if (const std::int32_t expert = draw(rng); !contains(taken, expert)) return expert;
    return search_other(taken, rng);
  }

 private:
  /// Neighbours in ascending order: [begin, end).
  struct Gap {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  [[nodiscard]] std::vector<Gap> gaps(std::span<const std::int32_t> taken) const;
  [[nodiscard]] double mass(Gap gap) const { return below_[gap.end] - below_[gap.begin]; }

  std::vector<double> shares_;
  AliasTable table_;
  // Ascending by share: sums over the small ones are not lost beside a large one.
  std::vector<std::int32_t> ascending_;  ///< experts
  std::vector<std::uint32_t> place_;     ///< of an expert therein
  std::vector<double> below_;            ///< (experts + 1): sum of the shares before a place
};

/// Fills `chosen` with distinct experts in order of preference: Plackett-Luce choice.
/// `Weights` is ExpertShares or TiltedShares.
template <class Weights>
void draw_choices(const Weights& weights, std::span<std::int32_t> chosen, std::mt19937_64& rng) {
  for (std::size_t i = 0; i < chosen.size(); ++i)
    chosen[i] = weights.draw_other(chosen.first(i), rng);
}

/// Sum of the weights of all but the `taken`, of which `rest` is that of all but those before the
/// last. A difference while it is accurate.
template <class Weights>
[[nodiscard]] double rest_after(const Weights& weights, double rest,
                                std::span<const std::int32_t> taken) {
  constexpr double kAccurate = 0.01;  // of weights of about 1: the difference keeps 13 digits
  const double left = rest - weights.weight(taken.back());
  return left < kAccurate ? weights.rest(taken) : left;
}

}  // namespace switchyard
