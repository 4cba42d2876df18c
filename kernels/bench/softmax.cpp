#include "kernels/bench/softmax.hpp"

#include <algorithm>
#include <bit>

namespace switchyard::kernels {
namespace {

/// Maxima and sums that are kept apart, so that loops become vector instructions.
constexpr std::int64_t kLanes = 16;

/// e^x for x <= 0 to 2e-7 (relative): 2^n e^r, |r| <= ln(2) / 2, e^r by its series to r^6 (the next
/// term is at most 1.2e-7). Below -87 it is e^-87.
inline float exp_of_negative(float x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: sums with it have no fraction
  x = std::max(x, -87.0F);
  const float n = (x * 1.44269504F + kRound) - kRound;
  // ln(2) in two parts, the first exact in few bits.
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float sum = 1.0F / 720.0F;
  sum = sum * r + 1.0F / 120.0F;
  sum = sum * r + 1.0F / 24.0F;
  sum = sum * r + 1.0F / 6.0F;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  return sum * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

}  // namespace

void softmax_row(float* row, std::int64_t num_seen, std::int64_t size) {
  float most[kLanes];
  std::fill_n(most, kLanes, row[0]);
  std::int64_t i = 0;
  for (; i + kLanes <= num_seen; i += kLanes)
    for (std::int64_t l = 0; l < kLanes; ++l) most[l] = std::max(most[l], row[i + l]);
  for (; i < num_seen; ++i) most[0] = std::max(most[0], row[i]);
  const float top = *std::max_element(most, most + kLanes);
  float sums[kLanes] = {};
  for (i = 0; i + kLanes <= num_seen; i += kLanes)
    for (std::int64_t l = 0; l < kLanes; ++l)
      sums[l] += row[i + l] = exp_of_negative(row[i + l] - top);
  for (; i < num_seen; ++i) sums[0] += row[i] = exp_of_negative(row[i] - top);
  float sum = 0.0F;
  for (const float of_lane : sums) sum += of_lane;
  const float factor = 1.0F / sum;
  for (i = 0; i < num_seen; ++i) row[i] *= factor;
  std::fill(row + num_seen, row + size, 0.0F);
}

}  // namespace switchyard::kernels
