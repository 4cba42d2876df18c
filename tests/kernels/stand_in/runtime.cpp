// What the CUDA backend calls of the CUDA runtime and of cuBLASLt, for one device that is host
// memory. Copies abort when a pointer is not where they say.

#include <cublasLt.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {
namespace {

std::mutex mutex;
std::map<const char*, std::size_t> allocations;  ///< of the device
std::atomic<int> staged_copies{0};

bool is_on_device(const void* pointer) {
  const std::lock_guard lock{mutex};
  auto next = allocations.upper_bound(static_cast<const char*>(pointer));
  if (next == allocations.begin()) return false;
  --next;
  return static_cast<const char*>(pointer) < next->first + next->second;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

void queue_on(cudaStream_t stream, std::function<void()> work) {
  (stream->is_capturing ? stream->captured : stream->waiting).push_back(std::move(work));
}

StandInGpu& stand_in_gpu() {
  static StandInGpu gpu;
  return gpu;
}

int num_staged_copies() { return staged_copies; }

}  // namespace switchyard::kernels

using namespace switchyard::kernels;

extern "C" {

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (bytes > stand_in_gpu().largest_allocation) return cudaErrorMemoryAllocation;
  *pointer = std::malloc(bytes);
  // NaN: what is read before it is written is seen. Larger are workspaces alone.
  std::memset(*pointer, 0xff, std::min(bytes, std::size_t{1} << 20));
  const std::lock_guard lock{mutex};
  allocations[static_cast<char*>(*pointer)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  {
    const std::lock_guard lock{mutex};
    require(allocations.erase(static_cast<char*>(pointer)) == 1);
  }
  std::free(pointer);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  *pointer = std::malloc(bytes + 1);
  std::memset(*pointer, 0xff, bytes + 1);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (kind == cudaMemcpyDeviceToDevice) {
    require(is_on_device(to) && is_on_device(from));
    // Of what is large the beginning.
    queue_on(stream, [=] { std::memcpy(to, from, std::min(bytes, std::size_t{1} << 20)); });
    return cudaSuccess;
  }
  require(is_on_device(to) != is_on_device(from));
  require(kind != cudaMemcpyHostToDevice || is_on_device(to));
  require(kind != cudaMemcpyDeviceToHost || is_on_device(from));
  if (kind == cudaMemcpyDefault) ++staged_copies;
  queue_on(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  require(bytes == 0 || is_on_device(to));
  queue_on(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = new CUstream_st;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->is_capturing) return cudaErrorStreamCaptureUnsupported;
  for (const auto& work : std::exchange(stream->waiting, {})) work();
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  *attributes = {};
  attributes->type = is_on_device(pointer) ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = stand_in_gpu().count;
  return stand_in_gpu().count_status;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = stand_in_gpu().driver;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = stand_in_gpu().free_bytes;
  *total = stand_in_gpu().total_bytes;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*device*/) {
  *properties = {};
  std::strcpy(properties->name, "stand-in");
  properties->major = 8;
  properties->multiProcessorCount = 1;
  properties->l2CacheSize = 1 << 20;
  properties->totalGlobalMem = stand_in_gpu().total_bytes;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* /*id*/, int /*size*/, int /*device*/) {
  return cudaErrorNoDevice;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaSetDevice(int /*device*/) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t /*error*/) { return "stand-in"; }
const char* cudaGetErrorString(cudaError_t /*error*/) { return "stand-in"; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t /*handle*/) { return CUBLAS_STATUS_SUCCESS; }
const char* cublasLtGetStatusName(cublasStatus_t /*status*/) { return "stand-in"; }
const char* cublasLtGetStatusString(cublasStatus_t /*status*/) { return "stand-in"; }

}  // extern "C"
