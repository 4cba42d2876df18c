#include "sim/core/parse_units.hpp"

#include <charconv>
#include <cmath>
#include <span>

namespace switchyard {
namespace {

struct Unit {
  std::string_view symbol;
  double base_units;
  double divisor = 1.0;  ///< in place of a base_units below 1, which would not be exact
};

constexpr Unit kTimeUnits[] = {{"s", 1.0},    {"ms", 1.0, 1e3}, {"us", 1.0, 1e6}, {"ns", 1.0, 1e9},
                               {"min", 60.0}, {"h", 3600.0},    {"d", 86400.0}};
constexpr Unit kSizeUnits[] = {{"B", 1.0},      {"kB", 1e3},     {"MB", 1e6},
                               {"GB", 1e9},     {"TB", 1e12},    {"KiB", 0x1p10},
                               {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
constexpr Unit kBitRateUnits[] = {
    {"kbps", 1e3 / 8}, {"Mbps", 1e6 / 8}, {"Gbps", 1e9 / 8}, {"Tbps", 1e12 / 8}};
constexpr Unit kFlopUnits[] = {{"FLOP", 1.0},   {"kFLOP", 1e3},  {"MFLOP", 1e6}, {"GFLOP", 1e9},
                               {"TFLOP", 1e12}, {"PFLOP", 1e15}, {"EFLOP", 1e18}};

std::string_view without_outer_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

struct NumberAndUnit {
  double number;
  std::string_view unit;
};

std::optional<NumberAndUnit> split(std::string_view text) {
  text = without_outer_spaces(text);
  double number = 0.0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return NumberAndUnit{number, without_outer_spaces(text)};
}

template <class Q>
std::optional<Q> in_units(double number, std::string_view symbol, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (symbol != unit.symbol) continue;
    const double base_units = number * unit.base_units / unit.divisor;
    if (std::isfinite(base_units)) return Q{base_units};
  }
  return std::nullopt;
}

template <class Q>
std::optional<Q> parse(std::string_view text, std::span<const Unit> units) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  return in_units<Q>(parts->number, parts->unit, units);
}

template <class Q>
std::optional<Q> parse_per_second(std::string_view text, std::span<const Unit> units) {
  auto parts = split(text);
  if (!parts || !parts->unit.ends_with("/s")) return std::nullopt;
  parts->unit.remove_suffix(2);
  return in_units<Q>(parts->number, parts->unit, units);
}

}  // namespace

std::optional<Seconds> parse_seconds(std::string_view text) {
  return parse<Seconds>(text, kTimeUnits);
}

std::optional<Bytes> parse_bytes(std::string_view text) { return parse<Bytes>(text, kSizeUnits); }

std::optional<BytesPerSecond> parse_bandwidth(std::string_view text) {
  if (const auto bits = parse<BytesPerSecond>(text, kBitRateUnits)) return bits;
  return parse_per_second<BytesPerSecond>(text, kSizeUnits);
}

std::optional<Flop> parse_flop(std::string_view text) { return parse<Flop>(text, kFlopUnits); }

std::optional<FlopPerSecond> parse_flop_rate(std::string_view text) {
  return parse_per_second<FlopPerSecond>(text, kFlopUnits);
}

}  // namespace switchyard
