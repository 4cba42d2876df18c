#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::kernels {

/// What is wrong with a file of keys, a line each: "file:line: key: what was expected, what was
/// given".
class KeyFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One key of a file and the field of a spec behind it, which it borrows.
struct Key {
  std::string name;
  std::string help;      ///< what it is, with its unit
  std::string expected;  ///< what a value may be: "a whole number, at least 1"
  std::function<bool(std::string_view value)> read;  ///< false: not what is expected
  std::function<std::string()> write;
};

[[nodiscard]] Key int_key(std::string name, std::string help, int& field, int least, int most);
[[nodiscard]] Key int64_key(std::string name, std::string help, std::int64_t& field,
                            std::int64_t least, std::int64_t most);
[[nodiscard]] Key uint64_key(std::string name, std::string help, std::uint64_t& field);
/// Any text but the empty one. @param expected  what it should be
[[nodiscard]] Key text_key(std::string name, std::string help, std::string expected,
                           std::string& field);
[[nodiscard]] Key bool_key(std::string name, std::string help, bool& field);

/// The key schema_version, which must be `version`.
[[nodiscard]] Key version_key(int version);

/// A number from `least` to `most`.
[[nodiscard]] Key number_key(std::string name, std::string help, double& field, double least,
                             double most);

/// A positive number, or `word` for none.
[[nodiscard]] Key optional_key(std::string name, std::string help, std::string word,
                               std::optional<double>& field);

/// @param words  by the value of the enumerator, from 0
template <class Enum>
[[nodiscard]] Key word_key(std::string name, std::string help, Enum& field,
                           std::vector<std::string> words) {
  std::string expected;
  for (const std::string& word : words) expected += (expected.empty() ? "" : " | ") + word;
  auto read = [&field, words](std::string_view value) {
    for (std::size_t i = 0; i < words.size(); ++i)
      if (words[i] == value) {
        field = static_cast<Enum>(i);
        return true;
      }
    return false;
  };
  auto write = [&field, words] { return words[static_cast<std::size_t>(field)]; };
  return {std::move(name), std::move(help), std::move(expected), std::move(read), std::move(write)};
}

/// Reads lines "key = value"; '#' begins a comment, empty lines are nothing. Every key must be
/// there once.
/// @param file  name for messages
/// @throws KeyFileError with all that is wrong
void read_keys(std::string_view text, const std::string& file, const std::vector<Key>& keys);

/// The file that read_keys reads back to the same fields.
/// @throws KeyFileError for a text with '#', a line break, or blanks around it
[[nodiscard]] std::string write_keys(const std::vector<Key>& keys);

/// A table of keys, what they are and what they may be.
[[nodiscard]] std::string help_on_keys(const std::vector<Key>& keys);

/// The content of a file. @throws KeyFileError when it cannot be read.
[[nodiscard]] std::string content_of(const std::string& file);

}  // namespace switchyard::kernels
