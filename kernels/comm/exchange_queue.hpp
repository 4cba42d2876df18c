#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>

namespace switchyard::kernels {

/// A thread that runs exchanges one after another while the caller computes. All ranks must submit
/// the same exchanges in the same order, and use their communicators nowhere else until finish().
class ExchangeQueue {
 public:
  enum class Runs { kBeside, kAtOnce };  ///< on a thread of its own, or within submit()

  /// Runs exchanges at once, too, where the thread cannot be started.
  explicit ExchangeQueue(Runs runs);
  ~ExchangeQueue();  ///< waits for what was submitted
  ExchangeQueue(const ExchangeQueue&) = delete;
  ExchangeQueue& operator=(const ExchangeQueue&) = delete;

  /// @returns its number, from 1. After one has thrown the following ones do not run.
  std::int64_t submit(std::function<void()> exchange);

  /// Returns when that exchange, and so all before it, is done.
  /// @throws what it or one before it threw
  void wait(std::int64_t number);

  /// Waits for all.
  void finish() { wait(num_submitted_); }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> waiting_;
  std::int64_t num_submitted_ = 0;
  std::int64_t num_done_ = 0;
  bool is_over_ = false;
  std::exception_ptr error_;
  std::thread thread_;  ///< not joinable when exchanges run at once
};

}  // namespace switchyard::kernels
