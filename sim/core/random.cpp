#include "sim/core/random.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// The 128-bit product of two 64-bit numbers.
struct WideProduct {
  std::uint64_t high;
  std::uint64_t low;
};

WideProduct wide_product(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
}

}  // namespace

std::mt19937_64 stream_engine(std::uint64_t seed, std::initializer_list<std::uint64_t> stream_ids) {
  std::uint64_t state = splitmix64(seed);
  // Not symmetric in seed and ids, nor among ids: {a, b} and {b, a} are two streams.
  for (const std::uint64_t id : stream_ids) state = splitmix64(state ^ id);
  return std::mt19937_64{state};
}

std::uint64_t uniform_below(std::uint64_t count, std::mt19937_64& rng) {
  SWITCHYARD_CHECK(count >= 1, "count {}", count);
  WideProduct product = wide_product(rng(), count);
  if (product.low < count) {
    const std::uint64_t num_surplus = (0 - count) % count;  // 2^64 mod count
    while (product.low < num_surplus) product = wide_product(rng(), count);
  }
  return product.high;
}

double standard_normal(std::mt19937_64& rng) {
  const double radius = std::sqrt(-2.0 * std::log(open_unit(rng)));
  return radius * std::cos(2.0 * std::numbers::pi * open_unit(rng));
}

Categorical::Categorical(std::span<const double> weights) : columns_(weights.size()) {
  for (const double weight : weights)
    SWITCHYARD_CHECK(std::isfinite(weight) && weight >= 0.0, "weight {}", weight);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  SWITCHYARD_CHECK(std::isfinite(sum) && sum > 0.0, "{} weights sum to {}", weights.size(), sum);

  // Each column holds 1; a column with too little is filled up by one with too much.
  std::vector<std::size_t> poor;
  std::vector<std::size_t> rich;
  const double scale = static_cast<double>(weights.size()) / sum;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    columns_[i] = {.keep = weights[i] * scale, .alias = i};
    (columns_[i].keep < 1.0 ? poor : rich).push_back(i);
  }
  while (!poor.empty() && !rich.empty()) {
    const std::size_t receiver = poor.back();
    const std::size_t giver = rich.back();
    poor.pop_back();
    columns_[receiver].alias = giver;
    columns_[giver].keep -= 1.0 - columns_[receiver].keep;
    if (columns_[giver].keep < 1.0) {
      rich.pop_back();
      poor.push_back(giver);
    }
  }
  // What is left differs from 1 by rounding only.
  for (const std::size_t i : rich) columns_[i].keep = 1.0;
  for (const std::size_t i : poor) columns_[i].keep = 1.0;
}

std::size_t Categorical::draw(std::mt19937_64& rng) const {
  // The high half picks the column, the low half is uniform within it.
  const auto [index, fraction] = wide_product(rng(), columns_.size());
  const Column& column = columns_[index];
  return static_cast<double>(fraction) * 0x1p-64 < column.keep ? index : column.alias;
}

}  // namespace switchyard
