#pragma once

#include <optional>
#include <string>

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// Keeps other processes from measuring into the same file or folder while it lives; the system
/// frees it when the process ends, however it does. File systems that know no locks have none.
class FileLock {
 public:
  /// Takes a lock on a folder that is there, or on a file, which is created where it is missing.
  /// @throws KernelError (kSpec) when another process has it, with that process, and when the file
  ///         cannot be written
  explicit FileLock(std::string path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  /// Removes a file that is still empty: nothing was measured.
  ~FileLock();

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// A lock that rank 0 holds for all; where it cannot, all throw.
class RanksLock {
 public:
  /// @param world  null: this process alone
  RanksLock(const std::string& path, Communicator* world);

 private:
  std::optional<FileLock> lock_;
};

}  // namespace switchyard::kernels
