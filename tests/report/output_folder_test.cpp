#include "sim/report/output_folder.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Property;
using testing::UnorderedElementsAre;

class WriteFilesAtomically : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::path{testing::TempDir()} / "switchyard.XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] const fs::path& folder() const { return folder_; }

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator{folder_}) found.insert(entry.path().filename());
    return found;
  }

  [[nodiscard]] std::string contents(const std::string& name) const {
    std::ifstream in{folder_ / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

 private:
  fs::path folder_;
};

OutputFile text_file(std::string name, std::string text) {
  return {std::move(name), [text = std::move(text)](std::ostream& out) { out << text; }};
}

TEST_F(WriteFilesAtomically, CreatesTheFolderAndReplacesFiles) {
  const fs::path nested = folder() / "a" / "b";
  write_files_atomically(nested, {text_file("x.csv", "old"), text_file("y.json", "1")});
  write_files_atomically(nested, {text_file("x.csv", "new")});
  std::ifstream in{nested / "x.csv"};
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>{in}, {}), "new");
  EXPECT_TRUE(fs::exists(nested / "y.json"));
}

TEST_F(WriteFilesAtomically, FindsOutBeforehandAndCreatesNothing) {
  check_output_folder(folder() / "a" / "b");
  EXPECT_TRUE(names().empty());
  write_files_atomically(folder(), {text_file("file", "")});
  // A file is where a folder should be; a folder cannot be made below it either.
  EXPECT_THROW(check_output_folder(folder() / "file"), ConfigError);
  EXPECT_THROW(check_output_folder(folder() / "file" / "below"), ConfigError);
}

TEST_F(WriteFilesAtomically, WritesMoreThanABuffer) {
  const std::string text(300'000, 'x');
  write_files_atomically(folder(), {text_file("big", text)});
  EXPECT_EQ(contents("big"), text);
}

TEST_F(WriteFilesAtomically, LeavesTheFolderAsItWasWhenAWriterThrows) {
  write_files_atomically(folder(), {text_file("first", "old")});
  const OutputFile throwing{"second", [](std::ostream& out) {
                              out << "half";
                              throw std::runtime_error("no more");
                            }};
  EXPECT_THROW(write_files_atomically(folder(), {text_file("first", "new"), throwing}),
               std::runtime_error);
  EXPECT_THAT(names(), UnorderedElementsAre("first"));
  EXPECT_EQ(contents("first"), "old");
}

TEST_F(WriteFilesAtomically, LeavesTheFolderAsItWasWhenANameIsTaken) {
  fs::create_directory(folder() / "taken");
  EXPECT_THROW(
      {
        try {
          write_files_atomically(folder(), {text_file("first", "1"), text_file("taken", "2")});
        } catch (const ConfigError& error) {
          EXPECT_EQ(std::string{error.what()},
                    (folder() / "taken").string() + ": cannot write: Is a directory");
          throw;
        }
      },
      ConfigError);
  EXPECT_THAT(names(), UnorderedElementsAre("taken"));
}

TEST_F(WriteFilesAtomically, SaysWhyAFolderCannotBeCreated) {
  write_files_atomically(folder(), {text_file("file", "1")});
  const fs::path below = folder() / "file" / "results";
  try {
    write_files_atomically(below, {text_file("x", "1")});
    FAIL() << "a folder below a file";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string{error.what()},
              below.string() + ": cannot create this folder: Not a directory");
  }
}

/// Runs in a child, whose limits and death are its own; returns its wait status.
template <class Action>
int status_of_child(Action action) {
  const pid_t child = ::fork();
  if (child == 0) {
    action();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(WriteFilesAtomically, LeavesNothingWhenTheDiskIsFull) {
  // A file size limit of 4 KiB stands for the full disk: write() fails in the middle of a file.
  const int status = status_of_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_files_atomically(folder(), {text_file("big", std::string(300'000, 'x'))});
    } catch (const ConfigError& error) {
      ::_exit(std::string{error.what()}.find("big: cannot write: File too large") !=
                      std::string::npos
                  ? 3
                  : 4);
    }
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_THAT(names(), UnorderedElementsAre());
}

TEST_F(WriteFilesAtomically, LeavesNoVisibleNameWhenInterrupted) {
  const int status = status_of_child([&] {
    ::signal(SIGINT, SIG_DFL);
    write_files_atomically(folder(), {{"half", [](std::ostream& out) {
                                         out << std::string(300'000, 'x');
                                         ::raise(SIGINT);
                                       }}});
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  for (const std::string& name : names()) EXPECT_TRUE(name.starts_with('.')) << name;
}

TEST_F(WriteFilesAtomically, RefusesAPathAsAName) {
  EXPECT_DEATH(write_files_atomically(folder(), {text_file("../x", "1")}), "no plain file name");
}

}  // namespace
}  // namespace switchyard
