#pragma once

#include <functional>
#include <memory>
#include <type_traits>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/quiet_samples.hpp"

namespace switchyard::kernels {

/// What a point queues on a GPU.
struct CudaWork {
  std::function<void()> queue;  ///< one call, on the next of its rotated memory
  double rotated_bytes = 0.0;   ///< that each call takes anew
  bool as_graph = true;         ///< false: queued by the host, call by call
};

/// Repeats of the work by events: each is one replay of a graph of several calls, divided by their
/// number, so that launching is not in the time of small kernels. Runs it once before, which finds
/// algorithms and sizes buffers.
[[nodiscard]] std::function<Sample()> timed_by_events(CudaBackend& cuda, CudaWork work,
                                                      double cache_bytes);

/// Repeats of the work and the wait for it, by the host's clock.
[[nodiscard]] std::function<Sample()> timed_with_wait(CudaBackend& cuda,
                                                      std::function<void()> queue);

struct DestroyGraph {
  void operator()(cudaGraphExec_t program) const { cudaGraphExecDestroy(program); }
};
using GraphProgram = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraph>;

/// What `queue` puts on the backend's stream, to be launched as a whole.
/// @throws KernelError (kDevice) for what cannot be captured: waits, allocations
[[nodiscard]] GraphProgram captured(CudaBackend& cuda, const std::function<void()>& queue);
void launch(const GraphProgram& program, CudaBackend& cuda);

struct DestroyEvent {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using DeviceEvent = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;
[[nodiscard]] DeviceEvent make_event();
void record(const DeviceEvent& event, CudaBackend& cuda);
/// Waits for both.
[[nodiscard]] double seconds_between(const DeviceEvent& begin, const DeviceEvent& end);

}  // namespace switchyard::kernels
