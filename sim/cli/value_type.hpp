#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/cli/message_text.hpp"
#include "sim/cli/yaml_node.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

using Json = nlohmann::ordered_json;

/// A value, or what could help the user where there is none ("write 1000000"; may be empty).
template <class T>
struct Parsed {
  std::optional<T> value = {};
  std::string hint = {};
};

/// How a scalar of type T is read, described to the user and described to an editor: one
/// declaration for the reader, its messages and the schema.
template <class T>
struct ValueType {
  std::string expected;                             ///< "a whole number of at least 1"
  Json schema;                                      ///< {"type": "integer", "minimum": 1}
  std::function<Parsed<T>(const YamlNode&)> parse;  ///< gets only scalars
  std::function<Json(const T&)> to_json;            ///< a default as the schema shows it
  T fallback = {};                                  ///< for going on after a failure; in range
};

/// Both bounds belong to the range.
struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// Give at most one lower and one upper bound; `above` and `below` are not themselves allowed.
struct NumberRange {
  std::optional<double> min = {};
  std::optional<double> above = {};
  std::optional<double> max = {};
  std::optional<double> below = {};
};

/// The names a choice offers, in the order in which messages list them.
template <class E>
using Choices = std::vector<std::pair<std::string, E>>;

/// The types a Switchyard file has. Read `types::number({.above = 0.0})`.
namespace types {

/// Decimal digits only: no separators, exponent, leading zero, quotes or other bases.
[[nodiscard]] ValueType<std::int64_t> whole_number(IntegerRange range = {});

/// A whole number that counts things.
/// Precondition: the range lies within int (checked).
[[nodiscard]] ValueType<int> count(IntegerRange range = {.min = 1, .max = 2'147'483'647});

/// A finite decimal number without unit, with or without fraction and exponent.
[[nodiscard]] ValueType<double> number(NumberRange range = {});

/// A number from 0 to 1.
[[nodiscard]] ValueType<double> fraction();

[[nodiscard]] ValueType<bool> boolean();

/// Text that is not empty. What YAML takes for a number or a boolean must be in quotes.
[[nodiscard]] ValueType<std::string> text();

/// Number and unit as sim/core/parse_units.hpp has them. Times and sizes may be zero, rates not.
[[nodiscard]] ValueType<Seconds> time();
[[nodiscard]] ValueType<Bytes> size();
[[nodiscard]] ValueType<BytesPerSecond> bandwidth();
[[nodiscard]] ValueType<FlopPerSecond> flop_rate();

/// One of a closed set of names. Precondition: there is a choice (checked by at()).
template <class E>
[[nodiscard]] ValueType<E> one_of(Choices<E> choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  std::string expected =
      fmt::format("{}{}", names.size() > 1 ? "one of " : "\"", fmt::join(names, ", "));
  if (names.size() == 1) expected += '"';
  const auto parse = [choices, names](const YamlNode& node) -> Parsed<E> {
    for (const auto& [name, value] : choices)
      if (node.scalar == name) return {value};
    return {.hint = did_you_mean(node.scalar, names)};
  };
  const auto to_json = [choices](const E& wanted) -> Json {
    for (const auto& [name, value] : choices)
      if (value == wanted) return name;
    return nullptr;
  };
  return {.expected = std::move(expected),
          .schema = {{"enum", names}},
          .parse = parse,
          .to_json = to_json,
          .fallback = choices.at(0).second};
}

}  // namespace types
}  // namespace switchyard
