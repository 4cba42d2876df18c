#pragma once

#include <array>
#include <streambuf>

namespace switchyard {

/// Lets a std::ostream write to an open file descriptor, and keeps why it could not.
/// The descriptor stays the caller's.
class FileStreamBuffer : public std::streambuf {
 public:
  explicit FileStreamBuffer(int descriptor);
  FileStreamBuffer(const FileStreamBuffer&) = delete;
  FileStreamBuffer& operator=(const FileStreamBuffer&) = delete;

  /// errno of the first write that failed; 0 so far.
  [[nodiscard]] int error() const { return error_; }

 protected:
  int_type overflow(int_type c) override;
  int sync() override;

 private:
  static constexpr std::size_t kBufferBytes = 1U << 16U;

  int descriptor_;
  int error_ = 0;
  std::array<char, kBufferBytes> buffer_{};
};

}  // namespace switchyard
