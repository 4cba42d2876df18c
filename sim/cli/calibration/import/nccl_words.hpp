#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// A word of nccl-tests (all_reduce_perf has all_reduce) beside that of points; an empty one is no
/// collective of the model.
struct CollectiveWord {
  std::string_view log;
  std::string_view point;
};

/// nullptr where nccl-tests has none of that name.
[[nodiscard]] const CollectiveWord* collective_word(std::string_view log);

/// The longest word of nccl-tests in a file's name; empty where there is none.
[[nodiscard]] std::string collective_in(std::string_view file_name);

/// "NCCL 2.22.3" where the line says so: by nccl-library=22203, or as NCCL_DEBUG=VERSION prints it.
[[nodiscard]] std::string nccl_software(const std::string& line);

/// Whether a row says that results were wrong: in the columns #wrong and error what is neither 0
/// nor N/A.
[[nodiscard]] bool says_wrong(const std::string& column, const std::string& word);

/// The number that all of a text is.
template <class T>
[[nodiscard]] std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The words between blanks.
[[nodiscard]] std::vector<std::string> words_of(const std::string& line);

}  // namespace switchyard
