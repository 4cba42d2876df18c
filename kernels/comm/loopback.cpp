#include "kernels/comm/loopback.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/comm/exchange_check.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

/// What all groups of a run share: one lock, and who left first.
struct LoopbackRun {
  std::mutex mutex;
  std::condition_variable changed;
  std::string left;  ///< empty while nobody has
  std::exception_ptr first_error;
};

/// A group meets twice in each call: when all have posted what they bring, when all have read.
struct Group {
  explicit Group(std::size_t num_ranks) : posted(num_ranks) {}

  std::vector<const void*> posted;
  std::size_t num_here = 0;
  std::uint64_t num_meetings = 0;
  std::map<int, std::shared_ptr<Group>> parts;  ///< of the split that goes on, by colour
};

class LoopbackCommunicator final : public Communicator {
 public:
  LoopbackCommunicator(LoopbackRun& run, std::shared_ptr<Group> group, int rank)
      : run_{run}, group_{std::move(group)}, rank_{rank} {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int num_ranks() const override { return static_cast<int>(group_->posted.size()); }

  void all_to_all(const RowExchange& exchange) override {
    check_exchange(exchange, num_ranks());
    share(&exchange, [&](const void* theirs, int other) {
      copy_rows(*static_cast<const RowExchange*>(theirs), other, exchange, rank_);
    });
  }

  void all_gather(std::span<const std::byte> sent, std::span<std::byte> received) override {
    check_gather(sent, received, num_ranks());
    share(&sent, [&](const void* theirs, int other) {
      const auto& piece = *static_cast<const std::span<const std::byte>*>(theirs);
      if (piece.size() != sent.size())
        throw KernelError{Fault::kShape, "all_gather: rank " + std::to_string(other) + " sent " +
                                             std::to_string(piece.size()) + " bytes, expected " +
                                             std::to_string(sent.size())};
      std::ranges::copy(piece, received.begin() + other * std::ssize(sent));
    });
  }

  void barrier() override { meet(); }

  [[nodiscard]] std::unique_ptr<Communicator> split(int colour) override {
    int my_rank = 0;
    int size = 0;
    share(&colour, [&](const void* theirs, int other) {
      if (*static_cast<const int*>(theirs) != colour) return;
      ++size;
      if (other < rank_) ++my_rank;
    });
    std::shared_ptr<Group> part;
    {
      const std::lock_guard lock{run_.mutex};
      std::shared_ptr<Group>& found = group_->parts[colour];
      if (!found) found = std::make_shared<Group>(static_cast<std::size_t>(size));
      part = found;
    }
    meet(Leaving::kDoesNotMatter);
    if (rank_ == 0) group_->parts.clear();
    meet(Leaving::kDoesNotMatter);
    return std::make_unique<LoopbackCommunicator>(run_, std::move(part), my_rank);
  }

 private:
  template <class Read>
  void share(const void* mine, const Read& read) {
    group_->posted[static_cast<std::size_t>(rank_)] = mine;
    meet();
    std::exception_ptr error;
    try {
      for (int other = 0; other < num_ranks(); ++other)
        read(group_->posted[static_cast<std::size_t>(other)], other);
    } catch (const KernelError&) {
      error = std::current_exception();
    }
    meet(Leaving::kDoesNotMatter);
    if (error) std::rethrow_exception(error);
  }

  /// All who have come to the first meeting of a call come to its second, and until then others
  /// may read what they posted: nobody runs away between them.
  enum class Leaving { kThrows, kDoesNotMatter };

  void meet(Leaving leaving = Leaving::kThrows) {
    std::unique_lock lock{run_.mutex};
    const auto left = [&] { return leaving == Leaving::kThrows && !run_.left.empty(); };
    if (left()) throw KernelError{Fault::kTransport, run_.left};
    const std::uint64_t meeting = group_->num_meetings;
    if (++group_->num_here == group_->posted.size()) {
      group_->num_here = 0;
      ++group_->num_meetings;
      run_.changed.notify_all();
      return;
    }
    run_.changed.wait(lock, [&] { return group_->num_meetings != meeting || left(); });
    if (group_->num_meetings == meeting) throw KernelError{Fault::kTransport, run_.left};
  }

  LoopbackRun& run_;
  std::shared_ptr<Group> group_;
  int rank_;
};

/// Precondition: called where an error is caught.
void leave(LoopbackRun& run, int rank, const char* why) {
  const std::lock_guard lock{run.mutex};
  if (!run.left.empty()) return;
  run.left = "rank " + std::to_string(rank) + " left: " + why;
  run.first_error = std::current_exception();
  run.changed.notify_all();
}

}  // namespace

void run_loopback(int num_ranks, const std::function<void(Communicator&)>& body) {
  if (num_ranks < 1)
    throw KernelError{Fault::kSpec, "loopback: num_ranks is " + std::to_string(num_ranks) +
                                        ", expected at least 1"};
  LoopbackRun run;
  const auto group = std::make_shared<Group>(static_cast<std::size_t>(num_ranks));
  std::vector<std::thread> threads;
  const auto run_rank = [&run, &body, &group](int rank) {
    LoopbackCommunicator all{run, group, rank};
    try {
      body(all);
    } catch (const std::exception& error) {
      leave(run, rank, error.what());
    } catch (...) {
      leave(run, rank, "unknown exception");
    }
  };
  const auto start_rank = [&](int rank) {
    try {
      threads.emplace_back(run_rank, rank);
    } catch (const std::system_error& error) {
      throw KernelError{Fault::kAllocation, "loopback: cannot start rank " + std::to_string(rank) +
                                                " of " + std::to_string(num_ranks) + ": " +
                                                error.what()};
    }
  };
  for (int rank = 0; rank < num_ranks; ++rank) {
    try {
      start_rank(rank);
    } catch (const std::exception& error) {
      leave(run, rank, error.what());
      break;
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (run.first_error) std::rethrow_exception(run.first_error);
}

}  // namespace switchyard::kernels
