#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "sim/core/random.hpp"
#include "sim/workload/routing/expert_shares.hpp"
#include "sim/workload/routing/gate_spec.hpp"

namespace switchyard {

// Gates follow from the exponential race: expert e arrives at T_e = E_e / w_e with E_e exponential
// and w_e its weight, so its logit -log T_e is log w_e plus a Gumbel number, and the order of
// arrival is the order of preference. Given the order e_1, e_2, ... of Plackett-Luce choices, the
// times between arrivals are independent: T_1 = E / sum of all weights, T_{j+1} = T_j + E / sum of
// the weights of all but e_1 ... e_j. The gate of a choice is T_j^-sharpness, scaled.

/// Experts that are drawn beyond those needed where jitter may change the order.
inline constexpr int kJitterCandidates = 4;

/// Standard deviation of the normal number that jitter adds to each logit:
/// jitter / sqrt(3) * pi / sqrt(6), the second the standard deviation of a Gumbel number.
[[nodiscard]] double jitter_deviation(double jitter);

/// Next of the times of a race in which weights of sum `rest` have not arrived; infinite for 0.
[[nodiscard]] inline double next_arrival(double time, double rest, std::mt19937_64& rng) {
  return time - std::log(open_unit(rng)) / rest;
}

/// Gates and second-choice policies of the tokens of one rank in one layer.
class TokenGate {
 public:
  /// @param num_choices  top_k and attempts to reroute
  TokenGate(const GateSpec& spec, int num_choices, int num_experts, bool with_gates,
            std::mt19937_64 rng);

  /// Whether the choices alone are not enough.
  [[nodiscard]] bool needs_times() const { return needs_times_; }

  /// Whether a row is more than the first num_choices candidates.
  [[nodiscard]] bool needs_finish() const {
    return needs_times_ || spec_.second_choice != SecondChoice::kAlways;
  }

  /// Choices to draw for each token: more than num_choices only with jitter, where the order among
  /// these decides, and experts behind them are taken to stay behind.
  [[nodiscard]] std::size_t num_candidates() const { return num_candidates_; }

  /// Runs the race that ended in these candidates, in their order; with jitter reorders them.
  /// @param weights  ExpertShares or TiltedShares
  template <class Weights>
  void run_race(const Weights& weights, std::span<std::int32_t> candidates);

  /// Uses times that came with the choices, for run_race's.
  void set_times(std::span<const double> times);

  /// Applies the second-choice policy to the first choices of `row` (num_choices).
  /// @param gates  (num_choices) or empty: not asked for
  void finish(std::span<std::int32_t> row, std::span<float> gates);

 private:
  void add_jitter(std::span<std::int32_t> candidates);
  /// time^-sharpness over that of the first arrival, which cannot overflow.
  [[nodiscard]] double power(double time) const;
  /// @param scale  a gate over the power of its time
  [[nodiscard]] bool keeps_second(double scale);

  GateSpec spec_;
  std::size_t num_choices_;
  std::size_t num_candidates_;
  bool needs_times_;
  bool needs_all_;  ///< the softmax is over all experts
  double jitter_ = 0.0;
  std::mt19937_64 rng_;
  std::vector<double> times_;        ///< of the candidates
  double reference_ = 1.0;           ///< the first before jitter
  double rest_powers_ = 0.0;         ///< sum over the experts that are no candidates
  std::vector<std::size_t> order_;   ///< scratch of add_jitter
  std::vector<std::int32_t> moved_;  ///< scratch of add_jitter
  std::vector<char> is_candidate_;   ///< scratch, by expert
};

template <class Weights>
void TokenGate::run_race(const Weights& weights, std::span<std::int32_t> candidates) {
  double rest = weights.total();
  double time = 0.0;
  for (std::size_t j = 0; j < candidates.size(); ++j) {
    if (j > 0) rest = rest_after(weights, rest, candidates.first(j));
    time = next_arrival(time, rest, rng_);
    times_[j] = time;
  }
  reference_ = times_.front();
  if (needs_all_) {
    rest_powers_ = 0.0;
    for (const std::int32_t expert : candidates)
      is_candidate_[static_cast<std::size_t>(expert)] = 1;
    for (std::int32_t expert = 0; expert < static_cast<std::int32_t>(is_candidate_.size());
         ++expert)
      if (is_candidate_[static_cast<std::size_t>(expert)] == 0)
        rest_powers_ += power(next_arrival(time, weights.weight(expert), rng_));
    for (const std::int32_t expert : candidates)
      is_candidate_[static_cast<std::size_t>(expert)] = 0;
  }
  if (jitter_ > 0.0) add_jitter(candidates);
}

}  // namespace switchyard
