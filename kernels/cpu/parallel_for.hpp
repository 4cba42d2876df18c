#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace switchyard::kernels {

/// Calls body(i, thread) for i in 0 .. count - 1, each once, thread below num_threads. The calls
/// must not depend on each other nor throw.
template <class Body>
void parallel_for(const CpuBackend& cpu, std::int64_t count, const Body& body) {
  if (cpu.pool() == nullptr || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
  const std::int64_t piece = std::max<std::int64_t>(1, count / (64 * cpu.num_threads()));
  cpu.pool()->run(count, piece, std::cref(body));
}

}  // namespace switchyard::kernels
