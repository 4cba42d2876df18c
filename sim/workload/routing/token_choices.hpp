#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchyard {

inline constexpr std::int32_t kNoExpert = -1;

/// What consecutive tokens of one rank chose in one layer.
struct TokenChoices {
  int num_choices = 0;  ///< columns: top_k and the attempts to reroute
  /// (tokens, num_choices), row major, in order of preference; kNoExpert where the gate makes no
  /// choice.
  std::vector<std::int32_t> experts;
  /// Same shape: the gate of each choice, among the first top_k of its token where renormalized.
  /// Empty unless asked for.
  std::vector<float> gates;

  [[nodiscard]] std::size_t num_tokens() const {
    return num_choices == 0 ? 0 : experts.size() / static_cast<std::size_t>(num_choices);
  }
};

}  // namespace switchyard
