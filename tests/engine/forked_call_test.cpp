#include "sim/engine/forked_call.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Numbers = std::vector<double>;

std::string failure_of(const std::function<Numbers()>& work) {
  try {
    (void)call_in_child("worker", work);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no exception";
}

TEST(CallInChild, ReturnsTheResult) {
  EXPECT_THAT(call_in_child("worker", [] { return Numbers{1.5, -2.0}; }), ElementsAre(1.5, -2.0));
  EXPECT_THAT(call_in_child("worker", [] { return Numbers{}; }), IsEmpty());
}

TEST(CallInChild, ReturnsMoreThanAPipeHolds) {
  const Numbers result = call_in_child("worker", [] { return Numbers(1'000'000, 0.25); });
  EXPECT_EQ(result, Numbers(1'000'000, 0.25));
}

TEST(CallInChild, RunsInAnotherProcess) {
  int calls = 0;
  const Numbers child = call_in_child("worker", [&calls] {
    ++calls;
    return Numbers{static_cast<double>(getpid())};
  });
  EXPECT_EQ(calls, 0);
  EXPECT_NE(child.front(), static_cast<double>(getpid()));
}

TEST(CallInChild, PassesOnTheMessageOfAnException) {
  EXPECT_EQ(failure_of([]() -> Numbers { throw std::logic_error("no such host"); }),
            "worker: no such host");
  EXPECT_EQ(failure_of([]() -> Numbers { throw 7; }), "worker: unknown exception");
}

TEST(CallInChild, ReportsAChildThatIsKilled) {
  EXPECT_THAT(failure_of([]() -> Numbers {
                raise(SIGKILL);
                return {};
              }),
              HasSubstr("worker: its process was killed by signal 9"));
}

TEST(CallInChild, ReportsAChildThatExits) {
  EXPECT_THAT(failure_of([]() -> Numbers { _exit(3); }), HasSubstr("exited with status 3"));
  EXPECT_THAT(failure_of([]() -> Numbers { _exit(0); }), HasSubstr("exited with status 0"));
}

TEST(CallInChild, WorksFromAThreadThatEnds) {
  Numbers result;
  std::thread{[&result] { result = call_in_child("worker", [] { return Numbers{4.0}; }); }}.join();
  EXPECT_THAT(result, ElementsAre(4.0));
}

TEST(CallInChild, LeavesNoChildBehindWhenTheCallerIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t caller = fork();
  if (caller == 0) {
    close(ends[0]);
    (void)call_in_child("worker", [&ends]() -> Numbers {
      (void)!write(ends[1], "x", 1);
      while (true) pause();
    });
    _exit(0);
  }
  close(ends[1]);
  char started = 0;
  ASSERT_EQ(read(ends[0], &started, 1), 1);
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  // Only the grandchild holds the writing end now: it reads as closed when that has ended.
  pollfd closed{.fd = ends[0], .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&closed, 1, 10'000), 1);
  EXPECT_EQ(read(ends[0], &started, 1), 0);
  close(ends[0]);
}

TEST(CallInChildDeathTest, RunsNoExitHandlersAndPrintsNothingTwice) {
  // The handler and the pending text belong to the parent: both must show once. gtest compares the
  // child's stderr, so what stdout holds is sent there.
  const auto parent = [] {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    setvbuf(stdout, nullptr, _IOFBF, BUFSIZ);
    std::atexit([] { std::printf("[handler]"); });
    std::printf("[pending]");
    (void)call_in_child("worker", [] {
      std::fflush(stdout);
      return Numbers{1.0};
    });
    std::exit(0);
  };
  EXPECT_EXIT(parent(), ::testing::ExitedWithCode(0), "^\\[pending\\]\\[handler\\]$");
}

}  // namespace
}  // namespace switchyard
