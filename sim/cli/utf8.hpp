#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard {

/// A byte that text cannot hold, and what is wrong with it.
struct UnreadableCharacter {
  std::size_t offset = 0;
  std::string problem;
};

/// The first byte that is not UTF-8 (overlong forms and surrogates are not) or belongs to a
/// character YAML does not allow: a control character other than tab and line end.
/// Source: YAML 1.2.2, section 5.1; RFC 3629.
[[nodiscard]] std::optional<UnreadableCharacter> find_unreadable_character(std::string_view text);

}  // namespace switchyard
