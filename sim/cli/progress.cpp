#include "sim/cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace switchyard {

Progress::Progress(std::size_t total, bool quiet)
    : total_{total}, is_shown_{!quiet && isatty(STDERR_FILENO) == 1} {}

Progress::~Progress() {
  if (was_drawn_) fmt::print(stderr, "\r{:<60}\r", "");
}

void Progress::finished(const std::string& name) {
  const std::lock_guard lock{mutex_};
  ++done_;
  if (!is_shown_ || std::chrono::steady_clock::now() - start_ < std::chrono::seconds{2}) return;
  constexpr std::size_t kWidth = 20;
  const std::size_t filled = done_ * kWidth / total_;
  fmt::print(stderr, "\r[{:<{}}] {}/{} {:<30.30}", std::string(filled, '#'), kWidth, done_, total_,
             name);
  std::fflush(stderr);
  was_drawn_ = true;
}

void for_each_index(std::size_t count, int jobs, const std::function<void(std::size_t)>& work) {
  if (jobs == 0) jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto worker = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock{failure_mutex};
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < std::min<int>(jobs, static_cast<int>(count)); ++i)
    threads.emplace_back(worker);
  worker();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace switchyard
