#pragma once

#include <span>

#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// @throws KernelError (kSpec) unless T, float or BFloat16, is what this precision stores.
template <class T>
void require_storage(Precision precision);

/// @param numbers  (T, columns)
/// @throws KernelError (kNotFinite) with token and column of the first number that is not finite.
template <class T>
void require_finite(const char* argument, std::span<const T> numbers, int columns);

}  // namespace switchyard::kernels
