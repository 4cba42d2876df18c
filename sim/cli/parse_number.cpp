#include "sim/cli/parse_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace switchyard {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kDigits) == std::string_view::npos;
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return text;
}

std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of(kDigits));
  text.remove_prefix(digits.size());
  return digits;
}

/// [sign] digits [. digits] [e [sign] digits], with a digit somewhere before the e.
bool is_decimal(std::string_view text) {
  text = without_sign(text);
  std::size_t num_digits = take_digits(text).size();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    num_digits += take_digits(text).size();
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text = without_sign(text.substr(1));
    if (take_digits(text).empty()) return false;
  }
  return num_digits > 0 && text.empty();
}

/// "007" and "00.5", which YAML 1.1 reads as octal or not at all.
bool has_leading_zero(std::string_view text) {
  text = without_sign(text);
  return text.size() > 1 && text[0] == '0' && kDigits.find(text[1]) != std::string_view::npos;
}

bool has_base_prefix(std::string_view text) {
  text = without_sign(text);
  return text.size() > 2 && text[0] == '0' &&
         std::string_view{"xXoObB"}.find(text[1]) != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}

bool is_infinity_or_nan(std::string_view text) {
  std::string word;
  for (const char c : without_sign(text))
    if (c != '.') word += static_cast<char>(c | 0x20);  // lower case
  return word == "inf" || word == "infinity" || word == "nan";
}

std::string without_separators(std::string_view text) {
  std::string digits{text};
  std::erase_if(digits, [](char c) { return c == '_' || c == ',' || c == '\''; });
  return digits;
}

/// What std::from_chars reads: it knows no plus.
std::string_view without_plus(std::string_view text) {
  const bool has_plus = text.starts_with('+') && !text.starts_with("+-");
  return has_plus ? text.substr(1) : text;
}

/// What to do about text that is not quite a number; empty when nobody knows.
std::string common_hint(const YamlNode& node) {
  const std::string_view text = node.scalar;
  if (node.is_quoted) return is_decimal(text) ? "; remove the quotes" : "";
  if (is_infinity_or_nan(text)) return "; it must be finite";
  if (has_base_prefix(text)) return "; write it in decimal";
  const std::string plain = without_separators(text);
  if (plain != text && is_decimal(plain) && !has_leading_zero(plain))
    return fmt::format("; write {}", plain);
  if (is_decimal(text) && has_leading_zero(text)) return "; write it without leading zeros";
  return "";
}

}  // namespace

Parsed<std::int64_t> parse_whole_number(const YamlNode& node) {
  const std::string_view text = without_plus(node.scalar);
  if (node.is_quoted || has_leading_zero(text)) return {.hint = common_hint(node)};
  if (is_digits(without_sign(text))) {
    std::int64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec == std::errc{}) return {value};
    const bool is_negative = text.starts_with('-');
    using Limits = std::numeric_limits<std::int64_t>;
    return {.hint = fmt::format("; the {} possible is {}", is_negative ? "smallest" : "largest",
                                is_negative ? Limits::min() : Limits::max())};
  }
  constexpr double kMaxExact = 0x1p53;
  const std::optional<double> value = parse_number(node).value;
  if (value && std::abs(*value) <= kMaxExact && *value == std::floor(*value))
    return {.hint = fmt::format("; write {:.0f}", *value)};
  return {.hint = common_hint(node)};
}

Parsed<double> parse_number(const YamlNode& node) {
  const std::string_view text = without_plus(node.scalar);
  if (node.is_quoted || !is_decimal(text) || has_leading_zero(text)) {
    if (!node.is_quoted && text.ends_with('%') && is_decimal(text.substr(0, text.size() - 1)))
      return {.hint = "; write it as a fraction of 1, without the %"};
    return {.hint = common_hint(node)};
  }
  double value = 0.0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{}) return {.hint = "; it is beyond what a number can hold"};
  return {value == 0.0 ? 0.0 : value};  // no negative zero
}

bool looks_like_number(std::string_view text) {
  const std::string plain = without_separators(text);
  const bool is_dotted_word = text.find('.') != std::string_view::npos && is_infinity_or_nan(text);
  return is_decimal(plain) || has_base_prefix(text) || is_dotted_word;
}

bool looks_like_boolean(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
  return std::ranges::find(kWords, text) != std::end(kWords);
}

}  // namespace switchyard
