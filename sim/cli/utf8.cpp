#include "sim/cli/utf8.hpp"

#include <fmt/format.h>

namespace switchyard {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t num_bytes = 0;  ///< 0: not UTF-8
};

CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t num_bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < num_bytes) return {};
  char32_t value = lead & (0x7FU >> num_bytes);
  for (std::size_t i = 1; i < num_bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLeast[num_bytes] || value > 0x10FFFF || is_surrogate) return {};
  return {value, num_bytes};
}

bool is_control(char32_t c) {
  const bool is_allowed = c == '\t' || c == '\n' || c == 0x85;
  return !is_allowed && (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xFFFE || c == 0xFFFF);
}

}  // namespace

std::optional<UnreadableCharacter> find_unreadable_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = decode(text.substr(i));
    if (c.num_bytes == 0)
      return UnreadableCharacter{
          i, fmt::format("expected UTF-8 text, got the byte 0x{:02X}",
                         static_cast<unsigned>(static_cast<unsigned char>(text[i])))};
    if (is_control(c.value))
      return UnreadableCharacter{i, fmt::format("expected text, got the control character U+{:04X}",
                                                static_cast<std::uint32_t>(c.value))};
    i += c.num_bytes;
  }
  return std::nullopt;
}

}  // namespace switchyard
