#include "sim/cli/value_type.hpp"

#include <algorithm>
#include <cmath>

#include "sim/cli/parse_number.hpp"
#include "sim/core/error.hpp"
#include "sim/core/parse_units.hpp"
#include "sim/core/units_format.hpp"

namespace switchyard {
namespace {

std::string bounds(IntegerRange range) {
  const bool has_min = range.min != IntegerRange{}.min;
  const bool has_max = range.max != IntegerRange{}.max;
  if (has_min && has_max) return fmt::format(" from {} to {}", range.min, range.max);
  if (has_min) return fmt::format(" of at least {}", range.min);
  return has_max ? fmt::format(" of at most {}", range.max) : "";
}

std::string bounds(const NumberRange& range) {
  if (range.min && range.max) return fmt::format(" from {} to {}", *range.min, *range.max);
  std::string text;
  if (range.min) text = fmt::format(" of at least {}", *range.min);
  if (range.above) text = fmt::format(" above {}", *range.above);
  const std::string_view joint = text.empty() ? "" : " and";
  if (range.max)
    text += fmt::format("{}{} at most {}", joint, text.empty() ? " of" : "", *range.max);
  if (range.below) text += fmt::format("{} below {}", joint, *range.below);
  return text;
}

bool contains(const NumberRange& range, double x) {
  return (!range.min || x >= *range.min) && (!range.above || x > *range.above) &&
         (!range.max || x <= *range.max) && (!range.below || x < *range.below);
}

/// A number inside the range, 0 if that is.
double number_inside(const NumberRange& range) {
  const double low = range.min.value_or(range.above.value_or(-HUGE_VAL));
  const double high = range.max.value_or(range.below.value_or(HUGE_VAL));
  if (contains(range, 0.0)) return 0.0;
  if (std::isfinite(low) && std::isfinite(high)) return low + (high - low) / 2;
  return std::isfinite(low) ? low + 1.0 : high - 1.0;
}

/// One unit type: `parse` turns text into Q, which must not be negative nor, for rates, zero.
template <class Q, class Parse>
ValueType<Q> with_unit(std::string_view kind, std::vector<std::string> examples, bool allows_zero,
                       Parse parse) {
  std::vector<std::string> shown;
  for (const std::string& example : examples) shown.push_back(in_quotes(example));
  const auto read = [parse, allows_zero](const YamlNode& node) -> Parsed<Q> {
    const std::optional<Q> value = parse(node.scalar);
    if (!value || !std::isfinite(value->base())) return {};
    if (value->base() < 0.0) return {.hint = "; it cannot be negative"};
    if (value->base() == 0.0 && !allows_zero) return {.hint = "; it must be above zero"};
    return {value};
  };
  return {.expected = fmt::format("{} with a unit, such as {}", kind, fmt::join(shown, " or ")),
          .schema = {{"type", "string"},
                     {"pattern", "^\\s*[0-9.]+([eE][+-]?[0-9]+)?\\s*[A-Za-z][A-Za-z/]*\\s*$"},
                     {"examples", examples}},
          .parse = read,
          .to_json = [](const Q& q) -> Json { return fmt::format("{}", q); },
          .fallback = Q{1.0}};
}

}  // namespace

namespace types {

ValueType<std::int64_t> whole_number(IntegerRange range) {
  SWITCHYARD_CHECK(range.min <= range.max, "{} to {}", range.min, range.max);
  Json schema = {{"type", "integer"}};
  if (range.min != IntegerRange{}.min) schema["minimum"] = range.min;
  if (range.max != IntegerRange{}.max) schema["maximum"] = range.max;
  const auto parse = [range](const YamlNode& node) -> Parsed<std::int64_t> {
    Parsed<std::int64_t> parsed = parse_whole_number(node);
    if (parsed.value && (*parsed.value < range.min || *parsed.value > range.max)) return {};
    return parsed;
  };
  return {.expected = "a whole number" + bounds(range),
          .schema = schema,
          .parse = parse,
          .to_json = [](const std::int64_t& n) -> Json { return n; },
          .fallback = std::clamp(std::int64_t{0}, range.min, range.max)};
}

ValueType<int> count(IntegerRange range) {
  constexpr std::int64_t kMaxInt = std::numeric_limits<int>::max();
  SWITCHYARD_CHECK(range.min >= -kMaxInt && range.max <= kMaxInt, "{} to {} is no range of int",
                   range.min, range.max);
  ValueType<std::int64_t> wide = whole_number(range);
  // The bound of the type is for the schema and the check; to the user it says nothing.
  if (range.max == kMaxInt)
    wide.expected = "a whole number" + bounds(IntegerRange{.min = range.min});
  const auto parse = [parse = wide.parse](const YamlNode& node) -> Parsed<int> {
    const Parsed<std::int64_t> parsed = parse(node);
    if (parsed.value) return {static_cast<int>(*parsed.value)};
    const Parsed<std::int64_t> unbounded = parse_whole_number(node);
    if (unbounded.value.value_or(0) > kMaxInt) return {.hint = "; it is too large"};
    return {.hint = parsed.hint};
  };
  return {.expected = wide.expected,
          .schema = wide.schema,
          .parse = parse,
          .to_json = [](const int& n) -> Json { return n; },
          .fallback = static_cast<int>(wide.fallback)};
}

ValueType<double> number(NumberRange range) {
  SWITCHYARD_CHECK(!(range.min && range.above) && !(range.max && range.below),
                   "two bounds on one side");
  Json schema = {{"type", "number"}};
  if (range.min) schema["minimum"] = *range.min;
  if (range.above) schema["exclusiveMinimum"] = *range.above;
  if (range.max) schema["maximum"] = *range.max;
  if (range.below) schema["exclusiveMaximum"] = *range.below;
  const auto parse = [range](const YamlNode& node) -> Parsed<double> {
    Parsed<double> parsed = parse_number(node);
    if (parsed.value && !contains(range, *parsed.value)) return {};
    return parsed;
  };
  return {.expected = "a number" + bounds(range),
          .schema = schema,
          .parse = parse,
          .to_json = [](const double& x) -> Json { return x; },
          .fallback = number_inside(range)};
}

ValueType<double> fraction() {
  ValueType<double> type = number({.min = 0.0, .max = 1.0});
  type.expected = "a fraction from 0 to 1";
  return type;
}

ValueType<bool> boolean() {
  const auto parse = [](const YamlNode& node) -> Parsed<bool> {
    if (node.is_quoted)
      return {.hint = looks_like_boolean(node.scalar) ? "; remove the quotes" : ""};
    if (node.scalar == "true") return {true};
    if (node.scalar == "false") return {false};
    return {};
  };
  return {.expected = "true or false",
          .schema = {{"type", "boolean"}},
          .parse = parse,
          .to_json = [](const bool& b) -> Json { return b; },
          .fallback = false};
}

ValueType<std::string> text() {
  const auto parse = [](const YamlNode& node) -> Parsed<std::string> {
    if (node.scalar.empty()) return {};
    const bool is_other =
        !node.is_quoted && (looks_like_number(node.scalar) || looks_like_boolean(node.scalar));
    if (is_other) return {.hint = "; put it in quotes"};
    return {node.scalar};
  };
  return {.expected = "text",
          .schema = {{"type", "string"}, {"minLength", 1}},
          .parse = parse,
          .to_json = [](const std::string& s) -> Json { return s; },
          .fallback = {}};
}

ValueType<Seconds> time() { return with_unit<Seconds>("a time", {"2 us"}, true, parse_seconds); }
ValueType<Bytes> size() {
  return with_unit<Bytes>("a size", {"16 GiB", "512 MB"}, true, parse_bytes);
}
ValueType<BytesPerSecond> bandwidth() {
  return with_unit<BytesPerSecond>("a bandwidth", {"400 Gbps", "50 GB/s"}, false, parse_bandwidth);
}
ValueType<FlopPerSecond> flop_rate() {
  return with_unit<FlopPerSecond>("a rate", {"61.5 TFLOP/s"}, false, parse_flop_rate);
}

}  // namespace types
}  // namespace switchyard
