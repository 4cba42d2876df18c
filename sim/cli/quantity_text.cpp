#include "sim/cli/quantity_text.hpp"

#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "sim/core/parse_units.hpp"

namespace switchyard {
namespace {

template <class Q>
std::string with_unit(Q quantity, double number, std::string_view unit, std::string_view base_unit,
                      std::optional<Q> (*parse)(std::string_view)) {
  const std::string text = fmt::format("{} {}", number, unit);
  return parse(text) == quantity ? text : fmt::format("{} {}", quantity.base(), base_unit);
}

}  // namespace

std::string exact_text(FlopPerSecond rate) {
  return with_unit(rate, rate.base() / 1e12, "TFLOP/s", "FLOP/s", parse_flop_rate);
}

std::string exact_text(BytesPerSecond rate) {
  return with_unit(rate, rate.base() / 1e9, "GB/s", "B/s", parse_bandwidth);
}

std::string exact_text(Bytes size) {
  return with_unit(size, size.base() / 0x1p30, "GiB", "B", parse_bytes);
}

std::string exact_text(Seconds time) {
  return with_unit(time, time.base() * 1e6, "us", "s", parse_seconds);
}

std::string exact_link_text(BytesPerSecond rate) {
  return with_unit(rate, rate.base() * 8 / 1e9, "Gbps", "B/s", parse_bandwidth);
}

}  // namespace switchyard
