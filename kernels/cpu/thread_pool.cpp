#include "kernels/cpu/thread_pool.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

ThreadPool::ThreadPool(int num_helpers) {
  try {
    for (int i = 1; i <= num_helpers; ++i) helpers_.emplace_back([this, i] { help(i); });
  } catch (const std::system_error& error) {
    stop();
    throw KernelError{Fault::kAllocation,
                      "cannot start thread " + std::to_string(helpers_.size() + 2) + " of " +
                          std::to_string(num_helpers + 1) + ": " + error.what()};
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_over_ = true;
  }
  begins_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadPool::run(std::int64_t count, std::int64_t piece, const Body& body) {
  const std::lock_guard turn{turn_};
  {
    const std::lock_guard lock{mutex_};
    body_ = &body;
    count_ = count;
    piece_ = piece;
    next_ = 0;
    num_helping_ = static_cast<int>(helpers_.size());
    ++num_runs_;
  }
  begins_.notify_all();
  work(0);
  std::unique_lock lock{mutex_};
  ends_.wait(lock, [this] { return num_helping_ == 0; });
}

void ThreadPool::help(int thread) {
  std::uint64_t num_seen = 0;
  std::unique_lock lock{mutex_};
  while (true) {
    begins_.wait(lock, [&] { return is_over_ || num_runs_ != num_seen; });
    if (is_over_) return;
    num_seen = num_runs_;
    lock.unlock();
    work(thread);
    lock.lock();
    if (--num_helping_ == 0) ends_.notify_one();
  }
}

void ThreadPool::work(int thread) {
  while (true) {
    const std::int64_t begin = next_.fetch_add(piece_);
    if (begin >= count_) return;
    const std::int64_t end = std::min(count_, begin + piece_);
    for (std::int64_t i = begin; i < end; ++i) (*body_)(i, thread);
  }
}

}  // namespace switchyard::kernels
