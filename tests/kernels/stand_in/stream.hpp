#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <vector>

/// Work that nobody has waited for; while it is captured, work goes into a graph instead.
struct CUstream_st {
  std::vector<std::function<void()>> waiting;
  std::vector<std::function<void()>> captured;
  bool is_capturing = false;
};

namespace switchyard::kernels {

/// Queues work on a stream of the stand-in: it is done when somebody waits for the stream, so that
/// what does not wait reads what was there before.
void queue_on(cudaStream_t stream, std::function<void()> work);

/// Copies between the host and the device that did not say which way (staged exchanges).
[[nodiscard]] int num_staged_copies();

[[nodiscard]] int num_graph_launches();

/// What the stand-in says of itself, and what it does wrong.
struct StandInGpu {
  cudaError_t count_status = cudaSuccess;
  int count = 1;
  int driver = 13000;
  std::size_t free_bytes = 8'000'000'000;
  std::size_t total_bytes = 8'000'000'000;
  std::size_t largest_allocation = ~std::size_t{0};
  bool permutes_wrongly = false;
};
[[nodiscard]] StandInGpu& stand_in_gpu();

}  // namespace switchyard::kernels
