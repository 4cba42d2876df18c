#pragma once

#include <string>
#include <string_view>

namespace switchyard::kernels {

/// Writes a file whole or not at all: beside it first, then renamed.
/// @throws KeyFileError when it cannot be written
void write_whole_file(const std::string& file, std::string_view content);

}  // namespace switchyard::kernels
