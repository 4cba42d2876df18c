#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// from_float with the device's own instruction.
template <class T>
__device__ inline T rounded_to(float x) {
  return x;
}
template <>
__device__ inline BFloat16 rounded_to<BFloat16>(float x) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}

/// Number x as type T holds it.
template <class T>
__device__ inline float as_stored(float x) {
  return to_float(rounded_to<T>(x));
}

/// Numbers that one thread loads or stores at once, 16 bytes or one number.
template <class T, int kCount>
struct alignas(kCount * sizeof(T)) Pack {
  T values[kCount];
};
template <class T>
inline constexpr int kPackSize = 16 / static_cast<int>(sizeof(T));

/// Whether rows of `columns` numbers can be read in packs of 16 bytes.
template <class T>
[[nodiscard]] constexpr bool fits_packs(std::int64_t columns) {
  return columns % kPackSize<T> == 0;
}

}  // namespace switchyard::kernels
