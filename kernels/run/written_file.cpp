#include "kernels/run/written_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

/// Where a file's content is to go.
struct Target {
  fs::path path;
  bool is_in_place = false;  ///< a device or a pipe, which a rename would replace
};

Target target_of(const std::string& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) return {file, true};
  fs::path path{file};
  constexpr int kMostLinks = 40;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(path, error)); ++i)
    path = path.parent_path() / fs::read_symlink(path, error);
  return {path, false};
}

fs::path beside(const Target& target) {
  return target.is_in_place ? target.path : fs::path{target.path.string() + ".part"};
}

[[noreturn]] void refuse(const std::string& file) {
  throw KeyFileError{file + ": cannot be written"};
}

}  // namespace

void require_writable(const std::string& file) {
  const Target target = target_of(file);
  // Who reads a pipe would take its opening and closing for its end.
  const bool is_open = target.is_in_place
                           ? access(target.path.c_str(), W_OK) == 0
                           : std::ofstream{beside(target), std::ios::binary}.is_open();
  if (!target.is_in_place && is_open) std::remove(beside(target).c_str());
  if (!is_open) refuse(file);
}

void write_whole_file(const std::string& file, std::string_view content) {
  const Target target = target_of(file);
  const fs::path written = beside(target);
  std::ofstream stream{written, std::ios::binary};
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (target.is_in_place) {
    if (!stream) refuse(file);
    return;
  }
  if (!stream || std::rename(written.c_str(), target.path.c_str()) != 0) {
    std::remove(written.c_str());
    refuse(file);
  }
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw std::system_error{errno, std::generic_category(), "standard output"};
}

}  // namespace switchyard::kernels
