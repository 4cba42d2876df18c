#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace switchyard::kernels {

/// Threads that sleep until there is work. They do not spin: with more ranks than cores a spinning
/// thread takes the core from the one that it waits for.
class ThreadPool {
 public:
  using Body = std::function<void(std::int64_t index, int thread)>;

  /// @throws KernelError (kAllocation) when a thread cannot be started.
  explicit ThreadPool(int num_helpers);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Calls body(i, thread) for i in 0 .. count - 1, `piece` at a time; the caller is thread 0, the
  /// helpers 1 and up. Returns when all are done. The body must not throw nor call run().
  void run(std::int64_t count, std::int64_t piece, const Body& body);

 private:
  void help(int thread);
  void work(int thread);
  void stop();

  std::mutex turn_;  ///< held by the caller of run()
  std::mutex mutex_;
  std::condition_variable begins_;
  std::condition_variable ends_;
  std::uint64_t num_runs_ = 0;
  int num_helping_ = 0;
  bool is_over_ = false;
  const Body* body_ = nullptr;
  std::int64_t count_ = 0;
  std::int64_t piece_ = 1;
  std::atomic<std::int64_t> next_ = 0;
  std::vector<std::thread> helpers_;
};

}  // namespace switchyard::kernels
