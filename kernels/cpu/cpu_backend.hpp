#pragma once

namespace switchyard::kernels {

/// How the CPU computes. No result depends on it.
struct CpuBackend {
  int num_threads = 1;
};

}  // namespace switchyard::kernels
