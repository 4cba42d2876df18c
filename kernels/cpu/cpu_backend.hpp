#pragma once

#include <memory>

namespace switchyard::kernels {

class ThreadPool;

/// The threads that the CPU computes with. No result depends on their number. Copies share threads;
/// two calls at once on the same backend take turns.
class CpuBackend {
 public:
  CpuBackend() = default;  ///< the calling thread alone

  /// The calling thread and num_threads - 1 more, which sleep between calls.
  /// @throws KernelError (kSpec) below 1, (kAllocation) when a thread cannot be started.
  explicit CpuBackend(int num_threads);

  [[nodiscard]] int num_threads() const { return num_threads_; }

  /// Null for one thread.
  [[nodiscard]] ThreadPool* pool() const { return pool_.get(); }

 private:
  int num_threads_ = 1;
  std::shared_ptr<ThreadPool> pool_;
};

}  // namespace switchyard::kernels
