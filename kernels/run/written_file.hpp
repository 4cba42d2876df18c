#pragma once

#include <string>
#include <string_view>

namespace switchyard::kernels {

/// Writes a file whole or not at all: beside it first, then renamed. A symbolic link stays one and
/// its target is written; what is no regular file, such as a device, is written in place.
/// @throws KeyFileError when it cannot be written
void write_whole_file(const std::string& file, std::string_view content);

/// Whether write_whole_file() can begin; leaves the file as it is.
/// @throws KeyFileError when it cannot
void require_writable(const std::string& file);

/// To standard output. @throws std::system_error when it takes not all
void print(std::string_view text);

}  // namespace switchyard::kernels
