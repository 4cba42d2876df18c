#include "sim/cli/calibration/child_program.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class StatusOfChild : public ProgramTest {
 protected:
  /// Waits for at most ten seconds.
  template <class Condition>
  static bool comes_true(const Condition& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }
  [[nodiscard]] fs::path file() const { return folder() / "pid"; }

  /// A program that writes who it is, and then takes a minute.
  [[nodiscard]] std::vector<std::string> long_program() const {
    return {"/bin/sh", "-c",
            "echo $$ > " + file().string() + ".new && mv " + file().string() + ".new " +
                file().string() + " && exec sleep 60"};
  }
  std::atomic<bool> is_stopped_ = false;
};

TEST_F(StatusOfChild, IsThatOfTheProgram) {
  EXPECT_EQ(status_of_child({"/bin/sh", "-c", "exit 5"}, is_stopped_), 5);
  EXPECT_EQ(status_of_child({"/bin/sh", "-c", "kill -9 $$"}, is_stopped_), 128 + SIGKILL);
  EXPECT_EQ(status_of_child({"/no/such/program"}, is_stopped_), 127);
}

TEST_F(StatusOfChild, EndsWithAProcessThatIsKilled) {
  const pid_t parent = ::fork();
  if (parent == 0) ::_exit(status_of_child(long_program(), is_stopped_));
  ASSERT_TRUE(comes_true([&] { return fs::exists(file()); }));
  const pid_t child = std::stoi(file_text(file()));
  EXPECT_EQ(::kill(child, 0), 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  // Gone, or a zombie that nobody waits for.
  EXPECT_TRUE(comes_true([&] {
    const std::string stat = file_text("/proc/" + std::to_string(child) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  }));
}

TEST_F(StatusOfChild, EndsSomeSecondsAfterAStop) {
  is_stopped_ = true;
  EXPECT_EQ(status_of_child(long_program(), is_stopped_), 128 + SIGTERM);
}

}  // namespace
}  // namespace switchyard
