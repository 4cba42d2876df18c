#include "sim/cli/traces/measured_text.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#ifdef SWITCHYARD_HAS_ZLIB
#include <zlib.h>
#endif

#include "sim/cli/utf8.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 30;

[[noreturn]] void refuse_size(const std::string& file) {
  throw ConfigError(
      fmt::format("{}: expected at most 4 GiB of text; cut the trace to a few steps", file));
}

#ifdef SWITCHYARD_HAS_ZLIB
std::string gunzipped(const std::filesystem::path& file) {
  const gzFile in = gzopen(file.c_str(), "rb");
  if (in == nullptr) throw ConfigError(fmt::format("{}: cannot read", file.string()));
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::string text;
  int got = 0;
  do {
    const std::size_t before = text.size();
    text.resize(before + kBlock);
    got = gzread(in, text.data() + before, kBlock);
    text.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  } while (got > 0 && text.size() <= kMostBytes);
  // A stream that was cut off ends like a whole one, but does not close like one.
  const int closed = gzclose_r(in);
  if (text.size() > kMostBytes) refuse_size(file.string());
  if (got < 0 || closed != Z_OK)
    throw ConfigError(
        fmt::format("{}: expected a whole gzip file; it is broken or cut off after "
                    "{} bytes of text",
                    file.string(), text.size()));
  return text;
}
#else
std::string gunzipped(const std::filesystem::path& file) {
  throw ConfigError(
      fmt::format("{}: is gzip'd, and this build has no zlib: gunzip it first, or "
                  "build with zlib1g-dev",
                  file.string()));
}
#endif

}  // namespace

std::string text_place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto last_break = before.rfind('\n');
  return fmt::format("{}:{}", 1 + std::ranges::count(before, '\n'),
                     before.size() - (last_break == before.npos ? 0 : last_break + 1) + 1);
}

void check_is_text(std::string_view text, const std::string& file) {
  std::string copy{text};
  std::ranges::replace(copy, '\r', ' ');
  if (const auto bad = find_unreadable_character(copy))
    throw ConfigError(fmt::format("{}:{}: {}", file, text_place(text, bad->offset), bad->problem));
}

void check_is_regular_file(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return;
  if (fs::is_directory(status))
    throw ConfigError(fmt::format("{}: expected a file, this is a folder", file.string()));
  throw ConfigError(fmt::format(
      "{}: expected a regular file, this is a {}; save what it says in one", file.string(),
      fs::is_fifo(status)     ? "pipe"
      : fs::is_socket(status) ? "socket"
                              : "device"));
}

std::string read_measured_text(const std::filesystem::path& file) {
  check_is_regular_file(file);
  std::error_code error;
  std::ifstream in{file, std::ios::binary};
  if (!in) throw ConfigError(fmt::format("{}: cannot read", file.string()));
  const auto size = std::filesystem::file_size(file, error);
  if (!error && size > kMostBytes) refuse_size(file.string());
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (text.starts_with("\x1f\x8b")) text = gunzipped(file);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // byte order mark
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw ConfigError(fmt::format("{}: is empty", file.string()));
  return text;
}

}  // namespace switchyard
