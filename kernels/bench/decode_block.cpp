#include "kernels/bench/decode_block.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/bench/softmax.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::int64_t kLanes = 16;

/// Keys whose scores are summed side by side.
constexpr std::int64_t kDots = 4;

/// Keys that all heads meet before the next ones: they stay in a core's first cache.
constexpr std::int64_t kPartKeys = 16;

using Lanes = float __attribute__((vector_size(4 * kLanes)));
using LooseLanes = float __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

Lanes load(const float* from) { return *reinterpret_cast<const LooseLanes*>(from); }
void store(Lanes x, float* to) { *reinterpret_cast<LooseLanes*>(to) = x; }

float sum_of(Lanes lanes) {
  float sums[kLanes];
  store(lanes, sums);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t l = 0; l < half; ++l) sums[l] += sums[l + half];
  return sums[0];
}

/// q . k of kDots keys at once, so that their sums do not wait for each other.
void dots(const float* q, const float* k, std::int64_t width, float scale, float* scores) {
  Lanes sums[kDots] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes)
    for (std::int64_t key = 0; key < kDots; ++key)
      sums[key] += load(q + i) * load(k + key * width + i);
  for (std::int64_t key = 0; key < kDots; ++key) {
    float sum = sum_of(sums[key]);
    for (std::int64_t rest = i; rest < width; ++rest) sum += q[rest] * k[key * width + rest];
    scores[key] = scale * sum;
  }
}

float dot(const float* q, const float* k, std::int64_t width) {
  float sum = 0.0F;
  for (std::int64_t i = 0; i < width; ++i) sum += q[i] * k[i];
  return sum;
}

/// output += weights @ v, in whole vectors that stay in registers over the keys.
void add_values(const float* weights, const float* v, std::int64_t keys, std::int64_t width,
                float* output) {
  std::int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    Lanes sum = load(output + i);
    for (std::int64_t key = 0; key < keys; ++key) sum += weights[key] * load(v + key * width + i);
    store(sum, output + i);
  }
  for (; i < width; ++i)
    for (std::int64_t key = 0; key < keys; ++key) output[i] += weights[key] * v[key * width + i];
}

}  // namespace

void decode_block(const DecodeBlock& block) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(block.width));
  const auto for_each_part = [&](const auto& body) {
    for (std::int64_t first = 0; first < block.keys; first += kPartKeys)
      for (std::int64_t h = 0; h < block.heads; ++h)
        body(h, first, std::min(first + kPartKeys, block.keys));
  };
  for_each_part([&](std::int64_t h, std::int64_t first, std::int64_t end) {
    const float* q = block.q + h * block.width;
    float* scores = block.scores + h * block.keys;
    std::int64_t key = first;
    for (; key + kDots <= end; key += kDots)
      dots(q, block.k + key * block.width, block.width, scale, scores + key);
    for (; key < end; ++key) scores[key] = scale * dot(q, block.k + key * block.width, block.width);
  });
  for (std::int64_t h = 0; h < block.heads; ++h)
    softmax_row(block.scores + h * block.keys, block.keys, block.keys);
  std::fill_n(block.outputs, block.heads * block.width, 0.0F);
  for_each_part([&](std::int64_t h, std::int64_t first, std::int64_t end) {
    add_values(block.scores + h * block.keys + first, block.v + first * block.width, end - first,
               block.width, block.outputs + h * block.width);
  });
}

}  // namespace switchyard::kernels
