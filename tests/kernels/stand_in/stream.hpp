#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace switchyard::kernels {

/// Queues work on a stream of the stand-in: it is done when somebody waits for the stream, so that
/// what does not wait reads what was there before.
void queue_on(cudaStream_t stream, std::function<void()> work);

/// Copies between the host and the device that did not say which way (staged exchanges).
[[nodiscard]] int num_staged_copies();

}  // namespace switchyard::kernels
