#include "sim/cli/message_text.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr std::size_t kMaxQuotedBytes = 60;
constexpr std::size_t kMaxWordBytes = 64;  // nobody mistypes a longer key

bool is_continuation_byte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool fits_a_path(std::string_view key) {
  return !key.empty() && key.size() <= kMaxQuotedBytes && std::ranges::all_of(key, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '/';
  });
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const bool is_cut = text.size() > kMaxQuotedBytes;
  std::size_t end = std::min(text.size(), kMaxQuotedBytes);
  while (is_cut && end > 0 && is_continuation_byte(text[end])) --end;
  std::string result = "\"";
  for (const char c : text.substr(0, end)) {
    if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '"')
      result += "\\\"";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result + (is_cut ? "...\"" : "\"");
}

std::string child_path(std::string_view parent, std::string_view key) {
  const std::string word = fits_a_path(key) ? std::string{key} : in_quotes(key);
  return parent.empty() ? word : fmt::format("{}.{}", parent, word);
}

std::string item_path(std::string_view parent, std::size_t index) {
  return fmt::format("{}[{}]", parent, index);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

std::string did_you_mean(std::string_view given, std::span<const std::string> candidates) {
  if (given.empty() || given.size() > kMaxWordBytes) return {};
  const std::string word = lower(given);
  const std::string* nearest = nullptr;
  std::size_t least = std::clamp<std::size_t>(given.size() / 3, 1, 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, lower(candidate));
    // A word with every letter replaced is no misspelling: "tp" is not "dp" mistyped twice.
    if (distance < least && distance < std::min(given.size(), candidate.size())) {
      least = distance;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? std::string{}
                            : fmt::format("; did you mean {}?", in_quotes(*nearest));
}

}  // namespace switchyard
