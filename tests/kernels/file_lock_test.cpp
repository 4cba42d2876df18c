#include "kernels/measure/file_lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/measure.hpp"
#include "kernels/measure/sustained.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path fresh_file(const std::string& name) {
  const fs::path file = fs::temp_directory_path() / ("switchyard_lock_" + name + ".csv");
  fs::remove(file);
  return file;
}

/// Empty where nothing was refused.
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kSpec);  // exit status 2
    return error.what();
  }
  return "";
}

void lock(const fs::path& path) { const FileLock lock{path.string()}; }

TEST(FileLock, IsOfOneAtATime) {
  const fs::path file = fresh_file("one");
  {
    const FileLock first{file.string()};
    EXPECT_THAT(refusal([&] { lock(file); }),
                HasSubstr(file.string() + ": another run is measuring into this file"));
  }
  EXPECT_EQ(refusal([&] { lock(file); }), "");
}

TEST(FileLock, IsOfFoldersToo) {
  const fs::path folder = fs::temp_directory_path();
  const FileLock first{folder.string()};
  EXPECT_THAT(refusal([&] { lock(folder); }), HasSubstr("measuring into this folder"));
}

TEST(FileLock, LeavesNoEmptyFileAndEveryOther) {
  const fs::path file = fresh_file("empty");
  lock(file);
  EXPECT_FALSE(fs::exists(file));
  std::ofstream{file} << "a";
  lock(file);
  EXPECT_TRUE(fs::exists(file));
}

TEST(FileLock, GoesWithAProcessThatIsKilled) {
  const fs::path file = fresh_file("killed");
  int is_locked[2];
  ASSERT_EQ(::pipe(is_locked), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock of_child{file.string()};
    static_cast<void>(::write(is_locked[1], "x", 1) == 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(is_locked[0], &byte, 1), 1);
  EXPECT_NE(refusal([&] { lock(file); }), "");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(refusal([&] { lock(file); }), "");
}

TEST(FileLock, KeepsTwoRunsFromMeasuringIntoOneFile) {
  const fs::path file = fresh_file("measure");
  const FileLock first{file.string()};
  EXPECT_NE(
      refusal([&] {
        static_cast<void>(measure_machine({.plan = {.budget_s = 1.0, .ranks = 1}, .file = file}));
      }),
      "");
  EXPECT_NE(
      refusal([&] {
        static_cast<void>(measure_sustained({.plan = {.ranks = 1}, .seconds = 0.1, .file = file}));
      }),
      "");
  EXPECT_EQ(fs::file_size(file), 0U);
}

}  // namespace
}  // namespace switchyard::kernels
