#pragma once

#include <cstddef>

namespace switchyard::kernels {

/// Below this much free memory nothing worth measuring fits.
inline constexpr double kLeastFreeBytes = 3e9;

/// Of the current device.
[[nodiscard]] double free_gpu_bytes();

/// Makes GPU `rank` modulo their number current. @returns its ordinal
/// @throws KernelError (kDevice): no GPU, a driver that is too old, too little memory; each says
///         what was found and the way out
int require_gpu(int rank);

}  // namespace switchyard::kernels
