#include "sim/engine/forked_call.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>

#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace switchyard {
namespace {

enum class Outcome : char { kResult = 'r', kException = 'e' };

/// The reading end of the child's pipe and its process; both end with this object.
class Child {
 public:
  Child(pid_t pid, int pipe) : pid_{pid}, pipe_{pipe} {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    close(pipe_);
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    (void)wait();
  }

  /// All that the child writes until it closes its end.
  [[nodiscard]] std::string read_all() const {
    std::string text;
    std::array<char, 1U << 16U> buffer{};
    while (true) {
      const ssize_t count = read(pipe_, buffer.data(), buffer.size());
      if (count > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
      else if (count == 0)
        return text;
      else if (errno != EINTR)
        throw std::runtime_error(fmt::format("cannot read from child: {}", strerror(errno)));
    }
  }

  /// Waits for the end of the process and returns its wait status.
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
  int pipe_;
};

void write_all(int pipe, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(pipe, bytes.data(), bytes.size());
    if (count >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    else if (errno != EINTR)
      _exit(EXIT_FAILURE);
  }
}

void write_message(int pipe, Outcome outcome, std::span<const char> payload) {
  const char tag = static_cast<char>(outcome);
  write_all(pipe, {&tag, 1});
  write_all(pipe, payload);
}

void write_exception(int pipe, std::string_view what) {
  write_message(pipe, Outcome::kException, {what.data(), what.size()});
}

/// Ends this process when its parent ends, however that happens. The signal comes when the thread
/// that forked ends; call_in_child() keeps that thread waiting until the child has ended.
void end_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EXIT_FAILURE);
}

[[noreturn]] void child_main(int pipe, const std::function<std::vector<double>()>& work) {
  __fpurge(stdout);  // SimGrid flushes it, which would print the parent's pending text twice
  try {
    const std::vector<double> result = work();
    write_message(pipe, Outcome::kResult,
                  {reinterpret_cast<const char*>(result.data()), result.size() * sizeof(double)});
  } catch (const std::exception& error) {
    write_exception(pipe, error.what());
  } catch (...) {
    write_exception(pipe, "unknown exception");
  }
  _exit(EXIT_SUCCESS);  // not exit(): its handlers and stream buffers belong to the parent
}

/// A child of another thread that inherits the writing end would keep our pipe open, so no two
/// threads are between pipe() and close() at the same time.
Child start_child(std::string_view name, const std::function<std::vector<double>()>& work) {
  static std::mutex starting;
  const std::lock_guard lock{starting};
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0)
    throw std::runtime_error(fmt::format("{}: cannot open a pipe: {}", name, strerror(errno)));
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    end_with(parent);
    close(ends[0]);
    child_main(ends[1], work);
  }
  const int fork_error = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    throw std::runtime_error(fmt::format("{}: cannot fork: {}", name, strerror(fork_error)));
  }
  return {pid, ends[0]};
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

}  // namespace

std::vector<double> call_in_child(std::string_view name,
                                  const std::function<std::vector<double>()>& work) {
  Child child = start_child(name, work);
  const std::string message = child.read_all();
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS || message.empty())
    throw std::runtime_error(
        fmt::format("{}: its process {} before it had a result", name, how_it_ended(status)));
  const std::string_view payload = std::string_view{message}.substr(1);
  if (static_cast<Outcome>(message.front()) == Outcome::kException)
    throw std::runtime_error(fmt::format("{}: {}", name, payload));
  std::vector<double> result(payload.size() / sizeof(double));
  if (!result.empty()) std::memcpy(result.data(), payload.data(), payload.size());
  return result;
}

}  // namespace switchyard
