#include "kernels/run/key_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {
namespace {

/// False when the text is not the number and nothing more.
template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

template <class Int>
Key whole_number_key(std::string name, std::string help, Int& field, Int least, Int most) {
  std::string expected = "a whole number, at least " + std::to_string(least);
  if (most != std::numeric_limits<Int>::max()) expected += " and at most " + std::to_string(most);
  const auto read = [&field, least, most](std::string_view value) {
    Int number{};
    if (!parse(value, number) || number < least || number > most) return false;
    field = number;
    return true;
  };
  return {std::move(name), std::move(help), std::move(expected), read,
          [&field] { return std::to_string(field); }};
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Key int_key(std::string name, std::string help, int& field, int least, int most) {
  return whole_number_key<int>(std::move(name), std::move(help), field, least, most);
}

Key int64_key(std::string name, std::string help, std::int64_t& field, std::int64_t least,
              std::int64_t most) {
  return whole_number_key<std::int64_t>(std::move(name), std::move(help), field, least, most);
}

Key uint64_key(std::string name, std::string help, std::uint64_t& field) {
  return whole_number_key<std::uint64_t>(std::move(name), std::move(help), field, 0,
                                         std::numeric_limits<std::uint64_t>::max());
}

Key text_key(std::string name, std::string help, std::string expected, std::string& field) {
  const auto read = [&field](std::string_view value) {
    field = value;
    return !value.empty();
  };
  return {std::move(name), std::move(help), std::move(expected), read, [&field] { return field; }};
}

Key bool_key(std::string name, std::string help, bool& field) {
  return word_key(std::move(name), std::move(help), field, {"false", "true"});
}

Key version_key(int version) {
  const std::string number = std::to_string(version);
  return {"schema_version", "of this format", number,
          [number](std::string_view value) { return value == number; },
          [number] { return number; }};
}

Key number_key(std::string name, std::string help, double& field, double least, double most) {
  std::string expected = "a number, at least " + number_text(least);
  if (std::isfinite(most)) expected += " and at most " + number_text(most);
  const auto read = [&field, least, most](std::string_view value) {
    double number = 0.0;
    if (!parse(value, number) || !std::isfinite(number) || number < least || number > most)
      return false;
    field = number;
    return true;
  };
  return {std::move(name), std::move(help), std::move(expected), read,
          [&field] { return number_text(field); }};
}

Key optional_key(std::string name, std::string help, std::string word,
                 std::optional<double>& field) {
  std::string expected = "a positive number, or " + word;
  const auto read = [&field, word](std::string_view value) {
    double number = 0.0;
    if (value == word) {
      field.reset();
      return true;
    }
    if (!parse(value, number) || !std::isfinite(number) || number <= 0.0) return false;
    field = number;
    return true;
  };
  const auto write = [&field, word] { return field ? number_text(*field) : word; };
  return {std::move(name), std::move(help), std::move(expected), read, write};
}

void read_keys(std::string_view text, const std::string& file, const std::vector<Key>& keys) {
  std::string wrong;
  std::vector<int> line_of_key(keys.size(), 0);
  int line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const auto equals = line.find('=');
    const std::string name{trimmed(line.substr(0, equals))};
    const auto say = [&](const std::string& what) {
      wrong += file + ":" + std::to_string(line_number) + ": " + name + ": " + what + "\n";
    };
    if (equals == std::string_view::npos) {
      say("expected key = value");
      continue;
    }
    const auto key = std::ranges::find(keys, name, &Key::name);
    if (key == keys.end()) {
      say("unknown key");
      continue;
    }
    int& first_line = line_of_key[static_cast<std::size_t>(key - keys.begin())];
    if (first_line != 0) {
      say("given in line " + std::to_string(first_line) + " already");
      continue;
    }
    first_line = line_number;
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (!key->read(value)) say("expected " + key->expected + ", got '" + std::string{value} + "'");
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (line_of_key[i] == 0)
      wrong += file + ":" + std::to_string(line_number + 1) + ": " + keys[i].name +
               ": missing, expected " + keys[i].expected + "\n";
  if (!wrong.empty()) throw KeyFileError{wrong.substr(0, wrong.size() - 1)};
}

std::string write_keys(const std::vector<Key>& keys) {
  std::string text;
  for (const Key& key : keys) {
    const std::string value = key.write();
    if (value.find_first_of("#\n") != std::string::npos || trimmed(value) != value)
      throw KeyFileError{key.name + ": cannot be written: expected no #, line break or blanks " +
                         "around it, got '" + value + "'"};
    text += key.name + " = " + value + "\n";
  }
  return text;
}

std::string help_on_keys(const std::vector<Key>& keys) {
  std::string text;
  for (const Key& key : keys)
    text += "  " + key.name + "\n      " + key.help + "\n      (" + key.expected + ")\n";
  return text;
}

std::string content_of(const std::string& file) {
  std::ifstream stream{file, std::ios::binary};
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) throw KeyFileError{file + ": cannot be read"};
  return content.str();
}

}  // namespace switchyard::kernels
