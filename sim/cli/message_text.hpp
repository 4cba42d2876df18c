#pragma once

#include <span>
#include <string>
#include <string_view>

namespace switchyard {

/// `text` in double quotes on one printable line: line breaks and control characters are escaped
/// and what is longer than 60 bytes is cut, so that foreign text cannot break up a message.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The key path of `key` inside `parent`: "fabric" and "num_leaves" give "fabric.num_leaves".
/// A key that a path could not otherwise hold (with a dot, say) is written in double quotes.
[[nodiscard]] std::string child_path(std::string_view parent, std::string_view key);

/// The key path of a list's item: "sweep" and 2 give "sweep[2]".
[[nodiscard]] std::string item_path(std::string_view parent, std::size_t index);

/// Number of single-character insertions, deletions, replacements and swaps of neighbours that
/// turn `a` into `b`, no character being touched twice.
/// Source: the restricted edit distance; Damerau, "A technique for computer detection and
///         correction of spelling errors", CACM 7(3), 1964.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// `; did you mean "x"?` for the candidate nearest to `given`, empty when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view given,
                                       std::span<const std::string> candidates);

}  // namespace switchyard
