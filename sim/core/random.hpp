#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <vector>

namespace switchyard {

// Random numbers that depend on the seed alone: not on the standard library (no
// std::*_distribution), not on the number of threads (each piece of work has its own stream).

/// One step of the splitmix64 generator from state `state`: a bijection that scatters all bits.
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t state) {
  std::uint64_t z = state + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/// The random engine of one stream of a seed: `stream_engine(seed, {draw, layer, rank})`.
///
/// Equal arguments give equal numbers; another seed, another id, another order or another number
/// of ids gives an unrelated stream. What runs in parallel takes a stream of its own, so results
/// do not depend on who ran first.
[[nodiscard]] std::mt19937_64 stream_engine(std::uint64_t seed,
                                            std::initializer_list<std::uint64_t> stream_ids);

/// A number in the open interval (0, 1) from 64 random bits, on 2^52 equally spaced points; its
/// logarithm and that of its complement are finite.
[[nodiscard]] constexpr double open_unit(std::uint64_t bits) {
  // 52 bits and a half fit the 53-bit significand; with 53 bits the largest would round up to 1.
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

/// Uniform in (0, 1). Takes one number from the engine.
[[nodiscard]] inline double open_unit(std::mt19937_64& rng) { return open_unit(rng()); }

/// Uniform in {0, ..., count - 1}, without bias. Precondition: count >= 1 (checked).
/// Source: Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019.
[[nodiscard]] std::uint64_t uniform_below(std::uint64_t count, std::mt19937_64& rng);

/// A draw from the normal distribution with mean 0 and variance 1. Takes two numbers from the
/// engine. Source: Box, Muller, "A Note on the Generation of Random Normal Deviates", Ann. Math.
/// Statist.
///         29(2), 1958.
[[nodiscard]] double standard_normal(std::mt19937_64& rng);

/// Draws index i with probability weights[i] / sum(weights), in constant time per draw.
///
/// Source: Vose, "A Linear Algorithm for Generating Random Numbers with a Given Distribution",
///         IEEE TSE 17(9), 1991.
class Categorical {
 public:
  /// Precondition: every weight is finite and at least 0, and their sum is finite and positive
  /// (checked). Cost: O(weights).
  explicit Categorical(std::span<const double> weights);

  /// Takes one number from the engine; the probabilities are exact to size() * 2^-64.
  [[nodiscard]] std::size_t draw(std::mt19937_64& rng) const;

  [[nodiscard]] std::size_t size() const { return columns_.size(); }

 private:
  struct Column {
    double keep = 1.0;      ///< probability to stay in this column
    std::size_t alias = 0;  ///< where to go otherwise
  };
  std::vector<Column> columns_;
};

}  // namespace switchyard
