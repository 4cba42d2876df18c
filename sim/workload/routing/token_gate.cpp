#include "sim/workload/routing/token_gate.hpp"

#include <numbers>
#include <numeric>
#include <utility>

#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

double jitter_deviation(double jitter) {
  return jitter / std::numbers::sqrt3 * std::numbers::pi / std::sqrt(6.0);
}

TokenGate::TokenGate(const GateSpec& spec, int num_choices, int num_experts, bool with_gates,
                     std::mt19937_64 rng)
    : spec_{spec},
      num_choices_{static_cast<std::size_t>(num_choices)},
      num_candidates_{spec.jitter > 0.0 ? static_cast<std::size_t>(std::min(
                                              num_choices + kJitterCandidates, num_experts))
                                        : num_choices_},
      jitter_{jitter_deviation(spec.jitter)},
      rng_{std::move(rng)},
      times_(num_candidates_),
      order_(num_candidates_),
      moved_(num_candidates_),
      is_candidate_(static_cast<std::size_t>(num_experts), 0) {
  const bool needs_gates = with_gates || spec.second_choice == SecondChoice::kThreshold ||
                           spec.second_choice == SecondChoice::kRandom;
  needs_times_ = needs_gates || spec.jitter > 0.0;
  needs_all_ = needs_gates && !spec.renormalized;
}

void TokenGate::set_times(std::span<const double> times) {
  std::ranges::copy(times, times_.begin());
  reference_ = times_.front();
}

double TokenGate::power(double time) const {
  if (std::isinf(reference_)) return 1.0;  // no weight at all: equal logits
  return spec_.sharpness == 1.0 ? reference_ / time : std::pow(time / reference_, -spec_.sharpness);
}

void TokenGate::add_jitter(std::span<std::int32_t> candidates) {
  // A logit higher by x is a time shorter by the factor exp(-x).
  for (double& time : times_) time *= std::exp(-jitter_ * standard_normal(rng_));
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::stable_sort(order_, {}, [this](std::size_t i) { return times_[i]; });
  std::ranges::copy(candidates, moved_.begin());
  for (std::size_t i = 0; i < order_.size(); ++i) candidates[i] = moved_[order_[i]];
  std::ranges::sort(times_);
}

bool TokenGate::keeps_second(double scale) {
  const auto gate = [&] { return scale * power(times_[1]); };
  switch (spec_.second_choice) {
    case SecondChoice::kAlways:
      return true;
    case SecondChoice::kThreshold:
      return gate() > spec_.second_threshold;
    case SecondChoice::kRandom:
      // Mesh TensorFlow's own guard against a threshold of 0.
      return open_unit(rng_) < gate() / std::max(spec_.second_threshold, 1e-9);
    case SecondChoice::kNever:
      break;
  }
  return false;
}

void TokenGate::finish(std::span<std::int32_t> row, std::span<float> gates) {
  const auto top_k = static_cast<std::size_t>(spec_.top_k);
  double scale = 1.0;
  if (needs_times_) {
    double sum = rest_powers_;
    for (std::size_t j = 0; j < (needs_all_ ? num_candidates_ : top_k); ++j)
      sum += power(times_[j]);
    scale = 1.0 / sum;
  }
  for (std::size_t j = 0; j < gates.size(); ++j)
    gates[j] = static_cast<float>(scale * power(times_[j]));
  if (spec_.second_choice == SecondChoice::kAlways || keeps_second(scale)) return;
  row[1] = kNoExpert;
  if (!gates.empty()) gates[1] = 0.0F;
}

}  // namespace switchyard
