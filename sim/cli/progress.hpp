#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace switchyard {

/// How many pieces of work are done, on standard error: on a terminal only, and only once the work
/// has taken two seconds. Safe from several threads.
class Progress {
 public:
  Progress(std::size_t total, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void finished(const std::string& name);

 private:
  std::size_t total_;
  bool is_shown_;
  bool was_drawn_ = false;
  std::size_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
};

/// Calls work(i) for every i below count on `jobs` threads, one per core when it is 0; the first
/// exception is thrown again.
void for_each_index(std::size_t count, int jobs, const std::function<void(std::size_t)>& work);

}  // namespace switchyard
