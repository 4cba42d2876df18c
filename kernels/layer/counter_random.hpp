#pragma once

#include <cstdint>

#include "kernels/layer/step_context.hpp"

namespace switchyard::kernels {

/// What random numbers are for; each use has a stream of its own.
enum class RandomUse : std::uint64_t {
  kRouterWeights = 1,
  kFirstWeights,     ///< W1
  kSecondWeights,    ///< W2
  kJitter,           ///< counter: token * d_model + column
  kSecondChoice,     ///< counter: token
  kExpertDropout,    ///< counter: (token * top_k + choice) * d_ff + hidden column
  kInputs,           ///< tokens of a run; counter: token * d_model + column
  kOutputGradients,  ///< as kInputs
  kPopularity,       ///< counter: expert
  kPopularChoice,    ///< counter: token * num_experts + expert
};

/// One step of splitmix64 from state `state`.
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
[[nodiscard]] constexpr std::uint64_t scattered(std::uint64_t state) {
  std::uint64_t z = state + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/// The stream of one use in one layer of one step.
[[nodiscard]] constexpr std::uint64_t random_stream(std::uint64_t seed, std::uint64_t step,
                                                    std::uint64_t layer, RandomUse use) {
  const auto of_use = scattered(scattered(seed) ^ static_cast<std::uint64_t>(use));
  return scattered(scattered(of_use ^ layer) ^ step);
}
[[nodiscard]] constexpr std::uint64_t random_stream(const StepContext& at, RandomUse use) {
  return random_stream(at.seed, at.step, at.layer, use);
}

/// Number `counter` of a stream, uniform in [0, 1): a multiple of 2^-24, so exact in float.
[[nodiscard]] constexpr float uniform_at(std::uint64_t stream, std::uint64_t counter) {
  return static_cast<float>(scattered(stream ^ scattered(counter)) >> 40) * 0x1p-24F;
}

/// The factor that jitter applies to one number of the router's input.
[[nodiscard]] constexpr float jitter_factor(std::uint64_t stream, std::uint64_t counter,
                                            float jitter) {
  return 1.0F + jitter * (2.0F * uniform_at(stream, counter) - 1.0F);
}

}  // namespace switchyard::kernels
