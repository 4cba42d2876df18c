#include "sim/cli/calibration/child_program.hpp"

#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace switchyard {
namespace {

constexpr int kDidNotStart = 127;

[[noreturn]] void become(const std::vector<char*>& arguments, [[maybe_unused]] pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kDidNotStart);  // it was killed before the call above
#endif
  // As root, as in containers, Open MPI runs only when told to.
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  execv(arguments.front(), arguments.data());
  _exit(kDidNotStart);
}

int status_of(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  return 128 + WTERMSIG(wait_status);
}

}  // namespace

int status_of_child(const std::vector<std::string>& command, const std::atomic<bool>& is_stopped) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPause = std::chrono::milliseconds{20};
  constexpr auto kGrace = std::chrono::seconds{3};
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return kDidNotStart;
  if (child == 0) become(arguments, parent);
  Clock::time_point stopped = Clock::time_point::max();
  for (bool was_told = false;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status_of(status);
    if (ended < 0 && errno != EINTR) return kDidNotStart;
    if (is_stopped && stopped == Clock::time_point::max()) stopped = Clock::now();
    if (!was_told && is_stopped && Clock::now() - stopped > kGrace) {
      kill(child, SIGTERM);
      was_told = true;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace switchyard
