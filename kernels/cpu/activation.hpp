#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// hidden (R, d_ff) of pre (R, N1); see Activation and GluLayout. T is float or BFloat16.
template <class T>
void activate(const ExpertShape& shape, const CpuBackend& cpu, std::span<const T> pre,
              std::span<T> hidden);

/// d_pre (R, N1), overwritten. @param d_hidden  (R, d_ff)
template <class T>
void activate_backward(const ExpertShape& shape, const CpuBackend& cpu, std::span<const T> pre,
                       std::span<const T> d_hidden, std::span<T> d_pre);

}  // namespace switchyard::kernels
