#include "kernels/run/written_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

/// A folder of the running test's own.
fs::path empty_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  fs::path folder = fs::path{testing::TempDir()} / (std::string{"written_file_"} + test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::size_t num_files(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
}

TEST(WriteWholeFile, WritesWhatALinkPointsTo) {
  const fs::path folder = empty_folder();
  fs::create_directory(folder / "a");
  fs::create_symlink("a/target", folder / "link");
  for (const std::string content : {"absent before", "there before"}) {
    write_whole_file(folder / "link", content);
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(content_of(folder / "a" / "target"), content);
  }
  EXPECT_EQ(num_files(folder / "a"), 1U);
}

TEST(WriteWholeFile, LeavesAPipeAPipe) {
  const fs::path pipe = empty_folder() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  require_writable(pipe);
  std::string read;
  std::thread reader{[&] { std::getline(std::ifstream{pipe}, read); }};
  write_whole_file(pipe, "a line\n");
  reader.join();
  EXPECT_EQ(read, "a line");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST(RequireWritable, LeavesTheFileAsItIs) {
  const fs::path folder = empty_folder();
  write_whole_file(folder / "file", "before");
  require_writable(folder / "file");
  require_writable(folder / "other");
  EXPECT_EQ(content_of(folder / "file"), "before");
  EXPECT_EQ(num_files(folder), 1U);
}

TEST(RequireWritable, RefusesAFileInAFolderThatIsNotThere) {
  const std::string file = empty_folder() / "absent" / "file";
  EXPECT_THROW(require_writable(file), KeyFileError);
  EXPECT_THROW(write_whole_file(file, ""), KeyFileError);
}

}  // namespace
}  // namespace switchyard::kernels
