#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace switchyard {

inline std::string file_text(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// What a program did.
struct ProgramRun {
  int exit_code = -1;  ///< -1: it did not exit by itself
  std::string out;
  std::string err;
};

/// Tests of whole programs: a folder for this test alone, and a way to run programs.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::path{testing::TempDir()} / "switchyard_program.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Runs `program` in the source tree. `data`, if not empty, is SWITCHYARD_DATA.
  [[nodiscard]] ProgramRun run_program(std::string program, std::vector<std::string> arguments,
                                       const std::string& data = "") const {
    const std::filesystem::path out = folder_ / ".stdout";
    const std::filesystem::path err = folder_ / ".stderr";
    std::vector<char*> argv{program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto redirect = [](const std::filesystem::path& file, int descriptor) {
        ::dup2(::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), descriptor);
      };
      redirect(out, STDOUT_FILENO);
      redirect(err, STDERR_FILENO);
      if (!data.empty()) ::setenv("SWITCHYARD_DATA", data.c_str(), 1);
      if (::chdir(SWITCHYARD_SOURCE_DIR) == 0) ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = file_text(out),
            .err = file_text(err)};
  }

  [[nodiscard]] ProgramRun switchyard(std::vector<std::string> arguments,
                                      const std::string& data = "") const {
    return run_program(SWITCHYARD_PROGRAM, std::move(arguments), data);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace switchyard
