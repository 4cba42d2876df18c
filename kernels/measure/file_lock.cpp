#include "kernels/measure/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

#include "kernels/comm/agreement.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/points_head.hpp"

namespace switchyard::kernels {
namespace {

/// " (process 123)" of who holds a lock, where the system lists it. Of the device only the inode is
/// looked at: layered file systems list another number there than files have.
std::string holder_of(ino_t inode) {
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number;
    std::string kind;
    std::string mode;
    std::string access;
    std::string process;
    std::string file;
    words >> number >> kind >> mode >> access >> process >> file;
    if (kind == "FLOCK" && file.substr(file.rfind(':') + 1) == std::to_string(inode))
      return " (process " + process + ")";
  }
  return "";
}

[[noreturn]] void refuse(const std::string& path, const struct stat& file) {
  std::ostringstream text;
  text << path << ": another run is measuring into this "
       << (S_ISDIR(file.st_mode) ? "folder" : "file") << holder_of(file.st_ino)
       << ": wait until it has ended, or give another with --out";
  throw KernelError{Fault::kSpec, text.str()};
}

int opened(const std::string& path) {
  errno = 0;
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) return folder;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) cannot_write_points(path);
  return file;
}

}  // namespace

FileLock::FileLock(std::string path) : path_{std::move(path)} {
  for (;;) {
    const int descriptor = opened(path_);
    struct stat mine {};
    struct stat named {};
    static_cast<void>(::fstat(descriptor, &mine));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(descriptor);
      refuse(path_, mine);
    }
    // Another may have removed the file between the two calls: then the lock is on no name.
    if (::stat(path_.c_str(), &named) == 0 && named.st_ino == mine.st_ino) {
      descriptor_ = descriptor;
      return;
    }
    ::close(descriptor);
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_{std::move(other.path_)}, descriptor_{std::exchange(other.descriptor_, -1)} {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  struct stat file {};
  if (::fstat(descriptor_, &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 0)
    ::unlink(path_.c_str());
  ::close(descriptor_);
}

RanksLock::RanksLock(const std::string& path, Communicator* world) {
  if (world == nullptr) {
    lock_.emplace(path);
    return;
  }
  LocalFault fault;
  if (world->rank() == 0) fault.guard([&] { lock_.emplace(path); });
  agree(*world, fault);
}

}  // namespace switchyard::kernels
