#pragma once

#include <string>

#include "sim/cli/traces/gpu_trace.hpp"

namespace switchyard {

/// Reads a trace of PyTorch's profiler: Chrome's JSON with `traceEvents`, of which these count:
///
///   cat kernel, gpu_memcpy, gpu_memset   what ran; args: External id, correlation, device, and of
///                                        NCCL Collective name, In/Out msg nelems, Group size,
///                                        dtype
///   cat cpu_op                           args: External id, Input Dims, Input type
///   cat cuda_runtime, cuda_driver        launches; args: correlation, External id
///   cat user_annotation                  ProfilerStep#N
///
/// The rest passes. Events are taken one by one, so that a trace takes hardly more memory than its
/// text.
/// @throws ConfigError with the place of what is no JSON, every event with a time that is none
///         (20 at most), no traceEvents, no kernels.
[[nodiscard]] GpuTrace read_kineto(const std::string& text, const std::string& file);

}  // namespace switchyard
