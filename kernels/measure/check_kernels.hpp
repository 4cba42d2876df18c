#pragma once

namespace switchyard::kernels {

/// Compares small layers, forward and backward, with the double reference: times of kernels that
/// compute something else would be worth nothing. Takes some milliseconds.
/// @throws KernelError (kDevice) that names the number that is off, with its error
void check_cpu_kernels(int num_threads);

}  // namespace switchyard::kernels
