#include "kernels/comm/exchange_queue.hpp"

#include <system_error>

namespace switchyard::kernels {

ExchangeQueue::ExchangeQueue(Runs runs) {
  if (runs == Runs::kAtOnce) return;
  try {
    thread_ = std::thread{[this] { work(); }};
  } catch (const std::system_error&) {  // the order of exchanges is the same without
  }
}

ExchangeQueue::~ExchangeQueue() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::int64_t ExchangeQueue::submit(std::function<void()> exchange) {
  if (!thread_.joinable()) {
    exchange();
    num_done_ = ++num_submitted_;
    return num_submitted_;
  }
  {
    const std::lock_guard lock{mutex_};
    waiting_.push(std::move(exchange));
    ++num_submitted_;
  }
  changed_.notify_all();
  return num_submitted_;
}

void ExchangeQueue::wait(std::int64_t number) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return num_done_ >= number; });
  if (error_) std::rethrow_exception(error_);
}

void ExchangeQueue::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto exchange = std::move(waiting_.front());
    waiting_.pop();
    if (!error_) {
      lock.unlock();
      std::exception_ptr error;
      try {
        exchange();
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      error_ = error;
    }
    ++num_done_;
    changed_.notify_all();
  }
}

}  // namespace switchyard::kernels
