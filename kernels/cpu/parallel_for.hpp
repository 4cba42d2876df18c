#pragma once

#include <algorithm>
#include <cstdint>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "kernels/cpu/cpu_backend.hpp"

namespace switchyard::kernels {

/// Calls body(i, thread) for i in 0 .. count - 1, each once, thread below cpu.num_threads. The
/// calls must not depend on each other nor throw. Without OpenMP there is one thread.
template <class Body>
void parallel_for(const CpuBackend& cpu, std::int64_t count, const Body& body) {
#ifdef _OPENMP
  if (cpu.num_threads > 1 && count > 1) {
    const std::int64_t piece = std::max<std::int64_t>(1, count / (64 * cpu.num_threads));
#pragma omp parallel for num_threads(cpu.num_threads) schedule(dynamic, piece)
    for (std::int64_t i = 0; i < count; ++i) body(i, omp_get_thread_num());
    return;
  }
#else
  static_cast<void>(cpu);
#endif
  for (std::int64_t i = 0; i < count; ++i) body(i, 0);
}

}  // namespace switchyard::kernels
