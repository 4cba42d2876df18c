#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace switchyard {

/// @throws ConfigError for folders, pipes, sockets and devices, which may say nothing for ever; a
///         file that is not there passes.
void check_is_regular_file(const std::filesystem::path& file);

/// The whole text of a file of measurements, up to 4 GiB, without a byte order mark; gzip'd files
/// are gunzipped.
/// @throws ConfigError: no regular file, cannot be read, is empty or too large, broken gzip; gzip
/// where this build
///         has no zlib, with what to do.
[[nodiscard]] std::string read_measured_text(const std::filesystem::path& file);

/// @throws ConfigError with the place of the first byte that is no text in UTF-8; '\r' passes.
void check_is_text(std::string_view text, const std::string& file);

/// "line:column" of a byte counted from 0.
[[nodiscard]] std::string text_place(std::string_view text, std::size_t offset);

}  // namespace switchyard
