#include "sim/cli/quantity_text.hpp"

#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/core/parse_units.hpp"

namespace switchyard {
namespace {

struct NamedUnit {
  double base_units;
  std::string_view name;
};

/// In the first unit in which 15 digits are the same double, else with all digits in the first or
/// the last unit.
template <class Q>
std::string with_unit(Q quantity, const std::vector<NamedUnit>& units,
                      std::optional<Q> (*parse)(std::string_view)) {
  for (const auto& [scale, name] : units) {
    const std::string digits = fmt::format("{:.14e}", quantity.base() / scale);
    const std::string text = fmt::format("{} {}", std::strtod(digits.c_str(), nullptr), name);
    if (parse(text) == quantity) return text;
  }
  const std::string text =
      fmt::format("{} {}", quantity.base() / units.front().base_units, units.front().name);
  return parse(text) == quantity ? text : fmt::format("{} {}", quantity.base(), units.back().name);
}

}  // namespace

std::string exact_text(FlopPerSecond rate) {
  return with_unit(rate, {{1e12, "TFLOP/s"}, {1e9, "GFLOP/s"}, {1, "FLOP/s"}}, parse_flop_rate);
}

std::string exact_text(BytesPerSecond rate) {
  return with_unit(rate, {{1e9, "GB/s"}, {1e12, "TB/s"}, {1e6, "MB/s"}, {1, "B/s"}},
                   parse_bandwidth);
}

std::string exact_text(Bytes size) {
  return with_unit(size, {{0x1p30, "GiB"}, {1e9, "GB"}, {1e6, "MB"}, {1, "B"}}, parse_bytes);
}

std::string exact_text(Seconds time) {
  return with_unit(time, {{1e-6, "us"}, {1e-9, "ns"}, {1e-3, "ms"}, {1, "s"}}, parse_seconds);
}

std::string exact_link_text(BytesPerSecond rate) {
  return with_unit(rate, {{1e9 / 8, "Gbps"}, {1e9, "GB/s"}, {1, "B/s"}}, parse_bandwidth);
}

}  // namespace switchyard
