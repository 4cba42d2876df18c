#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/points_file.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

OperatorPoint copy_of(std::int64_t bytes) {
  return {.op = MeasuredOperator::kCopy, .sizes = {bytes}};
}

constexpr PointTiming kTiming{.repeats = 3, .median_s = 2e-3, .p10_s = 1e-3, .p90_s = 3e-3};

/// Measures up to a hundred points into a file that may not grow beyond 2 KiB, which stands for a
/// full disk. @returns 3 where the fault says what is to be done
int measure_to_the_limit(const fs::path& file) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 2048, .rlim_max = 2048};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  try {
    PointsFile points{file, {{"device", "a"}}};
    for (std::int64_t i = 1; i <= 100; ++i) points.add(copy_of(64 * i), 0, kTiming, 1e-4);
  } catch (const KernelError& error) {
    const std::string text = error.what();
    return text.find("cannot be written: File too large; what was measured before is kept") ==
                   std::string::npos
               ? 4
               : 3;
  }
  return 5;
}

TEST(PointsFile, KeepsWhatWasMeasuredWhenTheDiskFills) {
  const fs::path file = fs::temp_directory_path() / "switchyard_full_disk.csv";
  fs::remove(file);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(measure_to_the_limit(file));
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 3);

  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  std::int64_t whole_lines = 0;
  for (std::string line; std::getline(text, line) && !text.eof();)
    if (line.starts_with("copy,")) ++whole_lines;
  ASSERT_GT(whole_lines, 10);
  // With room again it goes on with all whole lines, and the torn one is measured anew.
  PointsFile points{file, {{"device", "a"}}};
  EXPECT_TRUE(points.has(copy_of(64), 0));
  EXPECT_TRUE(points.has(copy_of(64 * whole_lines), 0));
  EXPECT_FALSE(points.has(copy_of(64 * (whole_lines + 1)), 0));
  EXPECT_NO_THROW(points.add(copy_of(64 * (whole_lines + 1)), 0, kTiming, 1e-4));
}

}  // namespace
}  // namespace switchyard::kernels
