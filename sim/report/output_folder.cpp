#include "sim/report/output_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <ostream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "sim/core/error.hpp"
#include "sim/report/file_stream_buffer.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, int error) {
  throw ConfigError(
      fmt::format("{}: cannot write: {}", path.string(), std::generic_category().message(error)));
}

[[noreturn]] void fail_to_create(const fs::path& folder, const std::error_code& error) {
  throw ConfigError(
      fmt::format("{}: cannot create this folder: {}", folder.string(), error.message()));
}

/// Keeps interrupts of this thread waiting while it lives.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&held, signal);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

/// A file that is being written; it has its final name only after publish().
class StagedFile {
 public:
  StagedFile(const fs::path& folder, const OutputFile& file)
      : target_{folder / file.name},
        hidden_{folder / fmt::format(".{}.{}.tmp", file.name, ::getpid())} {
    open(folder);
  }
  StagedFile(StagedFile&& other) noexcept
      : target_{std::move(other.target_)},
        hidden_{std::move(other.hidden_)},
        has_hidden_name_{std::exchange(other.has_hidden_name_, false)},
        descriptor_{std::exchange(other.descriptor_, -1)} {}
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (has_hidden_name_) ::unlink(hidden_.c_str());
  }

  void write(const OutputFile& file) const {
    FileStreamBuffer buffer{descriptor_};
    std::ostream out{&buffer};
    file.write(out);
    out.flush();
    if (buffer.error() != 0) fail(target_, buffer.error());
    if (!out) throw ConfigError(fmt::format("{}: cannot write", target_.string()));
    if (::fsync(descriptor_) != 0) fail(target_, errno);
  }

  /// Gives a complete file a hidden name, so that only the renaming is left.
  void name() {
    std::error_code ignored;
    if (fs::is_directory(target_, ignored)) fail(target_, EISDIR);
    if (has_hidden_name_) return;
    const std::string open_file = fmt::format("/proc/self/fd/{}", descriptor_);
    ::unlink(hidden_.c_str());  // left by a killed process with the same id
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, hidden_.c_str(), AT_SYMLINK_FOLLOW) != 0)
      fail(target_, errno);
    has_hidden_name_ = true;
  }

  void publish() {
    if (::rename(hidden_.c_str(), target_.c_str()) != 0) fail(target_, errno);
    has_hidden_name_ = false;
  }

 private:
  void open([[maybe_unused]] const fs::path& folder) {
    constexpr mode_t kMode = 0666;  // less the umask, as any new file
#ifdef O_TMPFILE
    // A file without a name vanishes with its process; it is named through /proc.
    if (::access("/proc/self/fd", X_OK) == 0)
      descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
    if (descriptor_ >= 0) return;
#endif
    descriptor_ = ::open(hidden_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, kMode);
    if (descriptor_ < 0) fail(target_, errno);
    has_hidden_name_ = true;
  }

  fs::path target_;
  fs::path hidden_;
  bool has_hidden_name_ = false;
  int descriptor_ = -1;
};

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail_to_create(folder, error);
}

/// Makes the renamed names last; a file system that cannot is no failure of the run.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

void check_output_folder(const fs::path& folder) {
  if (folder.empty()) throw ConfigError("--out: expected the name of a folder, got \"\"");
  std::error_code unreadable;
  const fs::path wanted = fs::absolute(folder);
  fs::path existing = wanted;
  while (!fs::exists(existing, unreadable) && existing.has_relative_path())
    existing = existing.parent_path();
  int error = 0;
  if (!fs::is_directory(existing, unreadable))
    error = ENOTDIR;
  else if (::access(existing.c_str(), W_OK | X_OK) != 0)
    error = errno;
  if (error == 0) return;
  if (existing == wanted && error != ENOTDIR) fail(folder, error);
  fail_to_create(folder, std::error_code{error, std::generic_category()});
}

void write_files_atomically(const fs::path& folder, const std::vector<OutputFile>& files) {
  for (const OutputFile& file : files)
    SWITCHYARD_CHECK(!file.name.empty() && file.name.find('/') == std::string::npos,
                     "\"{}\" is no plain file name", file.name);
  create_folder(folder);
  std::vector<StagedFile> staged;
  staged.reserve(files.size());
  for (const OutputFile& file : files) staged.emplace_back(folder, file).write(file);

  const SignalsHeld held;
  for (StagedFile& file : staged) file.name();
  for (StagedFile& file : staged) file.publish();
  sync_folder(folder);
}

}  // namespace switchyard
