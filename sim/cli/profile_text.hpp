#pragma once

#include <functional>
#include <string>

namespace switchyard {

/// Three significant digits: what a profile carries, and more than the data can tell.
[[nodiscard]] double rounded(double value);

/// `text` with the number after "<key>: {value: " replaced; a unit behind it stays.
/// @param file  for the message
/// @throws ConfigError where there is none.
[[nodiscard]] std::string with_value(const std::string& text, const std::string& key, double value,
                                     const std::string& file);

/// Replaces a file by what `change` makes of its text, at once.
/// @throws ConfigError where it cannot be read or written.
void rewrite_profile(const std::string& file,
                     const std::function<std::string(const std::string&)>& change);

}  // namespace switchyard
