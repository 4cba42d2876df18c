#pragma once

#include "kernels/cpu/cpu_backend.hpp"

namespace switchyard::kernels {

/// Largest relative Frobenius error of attention() against double, at small shapes of prefill,
/// chunked prefill and decoding.
/// @throws std::runtime_error above 1e-5
[[nodiscard]] double checked_attention_error(const CpuBackend& cpu);

/// Of normalise() with T float or BFloat16. @throws std::runtime_error above 1e-5 or 4e-3
template <class T>
[[nodiscard]] double checked_norm_error(const CpuBackend& cpu);

}  // namespace switchyard::kernels
