#include "kernels/cuda/cuda_backend.hpp"

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

/// What cuBLAS advises for Hopper: 32 MiB.
constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

}  // namespace

int num_cuda_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  static_cast<void>(cudaGetLastError());
  return 0;
}

CudaBackend::CudaBackend(int ordinal) {
  check_cuda(cudaSetDevice(ordinal), "cudaSetDevice");
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  device_ = {.name = properties.name,
             .major = properties.major,
             .minor = properties.minor,
             .num_sms = properties.multiProcessorCount};
  if (device_.major < 8)
    throw KernelError{Fault::kDevice, "CUDA: expected compute capability 8.0 or later, got " +
                                          std::to_string(device_.major) + "." +
                                          std::to_string(device_.minor) + " (" + device_.name +
                                          ")"};
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  for (auto& workspace : workspaces_) workspace.resize(kWorkspaceBytes);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (i > 0)
      check_cuda(cudaStreamCreateWithFlags(&lanes_[i], cudaStreamNonBlocking), "cudaStreamCreate");
    check_cuda(cudaEventCreateWithFlags(&events_[i], cudaEventDisableTiming), "cudaEventCreate");
  }
  check_cublas(cublasLtCreate(&blas_), "cublasLtCreate");
}

CudaBackend::~CudaBackend() {
  cudaDeviceSynchronize();
  if (blas_ != nullptr) cublasLtDestroy(blas_);
  for (const auto event : events_)
    if (event != nullptr) cudaEventDestroy(event);
  for (const auto lane : lanes_)
    if (lane != nullptr) cudaStreamDestroy(lane);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void CudaBackend::fork(int num_lanes) {
  if (num_lanes <= 1) return;
  check_cuda(cudaEventRecord(events_[0], stream_), "cudaEventRecord");
  for (int i = 1; i < num_lanes; ++i)
    check_cuda(cudaStreamWaitEvent(lane(i), events_[0], 0), "cudaStreamWaitEvent");
}

void CudaBackend::join(int num_lanes) {
  for (int i = 1; i < num_lanes; ++i) {
    check_cuda(cudaEventRecord(events_[to_index(i)], lane(i)), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(stream_, events_[to_index(i)], 0), "cudaStreamWaitEvent");
  }
}

void CudaBackend::synchronize() const {
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

}  // namespace switchyard::kernels
