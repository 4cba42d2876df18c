#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/cuda_error.hpp"

namespace switchyard::kernels {

/// A stream of the device that was current when it was first asked for.
class DeviceStream {
 public:
  DeviceStream() = default;
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;
  ~DeviceStream() {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  [[nodiscard]] cudaStream_t get() {
    if (stream_ == nullptr)
      check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    return stream_;
  }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace switchyard::kernels
