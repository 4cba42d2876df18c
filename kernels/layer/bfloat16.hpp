#pragma once

#include <bit>
#include <cstdint>

namespace switchyard::kernels {

/// Storage of a bfloat16 number: the upper half of a float. Same bits as __nv_bfloat16.
struct BFloat16 {
  std::uint16_t bits = 0;

  friend constexpr bool operator==(BFloat16, BFloat16) = default;  ///< of the bits
};

/// Exact.
[[nodiscard]] constexpr float to_float(BFloat16 x) {
  return std::bit_cast<float>(std::uint32_t{x.bits} << 16);
}
[[nodiscard]] constexpr float to_float(float x) { return x; }

/// Rounds to the nearest, half to even; overflow becomes infinite, NaN stays NaN.
[[nodiscard]] constexpr BFloat16 to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16) & 1U);
  return {static_cast<std::uint16_t>((is_nan ? bits | 0x400000U : rounded) >> 16)};
}

/// The float that a bfloat16 number rounded from x is.
[[nodiscard]] constexpr float rounded_to_bfloat16(float x) { return to_float(to_bfloat16(x)); }

/// x in the storage type T, float or BFloat16.
template <class T>
[[nodiscard]] constexpr T from_float(float x);
template <>
[[nodiscard]] constexpr float from_float<float>(float x) {
  return x;
}
template <>
[[nodiscard]] constexpr BFloat16 from_float<BFloat16>(float x) {
  return to_bfloat16(x);
}

}  // namespace switchyard::kernels
