#pragma once

#include <charconv>
#include <string>

namespace switchyard::kernels {

/// The shortest text that reads back as the same number.
[[nodiscard]] inline std::string number_text(double number) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, number);
  return {text, result.ptr};
}

}  // namespace switchyard::kernels
