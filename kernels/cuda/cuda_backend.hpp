#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "kernels/cuda/device_buffer.hpp"
#include "kernels/cuda/grouped_tiles.hpp"

namespace switchyard::kernels {

/// 0 where there is no driver.
[[nodiscard]] int num_cuda_devices();

/// What a call of the CUDA backend runs on.
struct CudaDevice {
  std::string name;
  int major = 0;  ///< of the compute capability
  int minor = 0;
  int num_sms = 0;
};

/// How products of experts are computed.
enum class GemmRoute {
  kAutomatic,  ///< kWgmma where device and shapes allow it, else kCublasLt
  kWgmma,      ///< one persistent kernel; the host does not learn the offsets
  kCublasLt,   ///< one product for each expert; waits for the offsets
};

/// Streams and cuBLASLt's handle, memory and algorithms on one device. For one host thread.
///
/// Calls queue work on `stream()` and return; arguments that are spans lie in device memory.
/// Nothing waits for the device but where its comment says so, so calls can be captured in a graph
/// once all buffers have their sizes.
class CudaBackend {
 public:
  static constexpr int kNumLanes = 4;
  using AlgorithmKey = std::array<std::int64_t, 13>;

  /// @throws KernelError (kDevice) without a device of compute capability 8.0 or later.
  explicit CudaBackend(int ordinal = 0);
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;
  ~CudaBackend();

  [[nodiscard]] const CudaDevice& device() const { return device_; }
  [[nodiscard]] bool has_wgmma() const { return device_.major == 9; }
  [[nodiscard]] cudaStream_t stream() const { return stream_; }
  [[nodiscard]] cublasLtHandle_t blas() const { return blas_; }

  /// Side streams for independent products; lane 0 is stream() itself.
  [[nodiscard]] cudaStream_t lane(int i) const { return i == 0 ? stream_ : lanes_[to_index(i)]; }
  [[nodiscard]] DeviceBuffer<std::uint8_t>& workspace(int i) { return workspaces_[to_index(i)]; }
  /// Side streams wait for what is queued on stream(), or the other way round.
  void fork(int num_lanes);
  void join(int num_lanes);

  void synchronize() const;

  std::map<AlgorithmKey, cublasLtMatmulAlgo_t> algorithms;
  GemmRoute route = GemmRoute::kAutomatic;
  int cublas_lanes = kNumLanes;  ///< streams of the route kCublasLt
  GemmTile tile;                 ///< of the route kWgmma; 0 * 0: the estimated best

 private:
  static std::size_t to_index(int i) { return static_cast<std::size_t>(i); }

  CudaDevice device_;
  cudaStream_t stream_ = nullptr;
  cublasLtHandle_t blas_ = nullptr;
  std::array<cudaStream_t, kNumLanes> lanes_{};
  std::array<cudaEvent_t, kNumLanes> events_{};
  std::array<DeviceBuffer<std::uint8_t>, kNumLanes> workspaces_;
};

}  // namespace switchyard::kernels
