#pragma once

#include <optional>
#include <string_view>

#include "sim/core/units.hpp"

namespace switchyard {

// Each reads a decimal number and a unit, with optional spaces between and around: "400 Gbps",
// "512MiB", "1.5 us", "2e3 GB/s". Nothing is assumed: no unit, an unknown unit, trailing text or a
// number that is not finite gives nullopt. Case matters ('b' is bits, 'B' is bytes; 'm' is milli,
// 'M' is mega). The sign is the number's: callers say which values make sense.

/// s, ms, us, ns, min, h, d.
[[nodiscard]] std::optional<Seconds> parse_seconds(std::string_view text);

/// B, kB, MB, GB, TB (powers of ten); KiB, MiB, GiB, TiB (powers of two).
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);

/// A size unit per second, or bits per second as kbps, Mbps, Gbps, Tbps.
[[nodiscard]] std::optional<BytesPerSecond> parse_bandwidth(std::string_view text);

/// FLOP, or with a prefix k, M, G, T, P, E.
[[nodiscard]] std::optional<Flop> parse_flop(std::string_view text);

/// FLOP/s, or with a prefix k, M, G, T, P, E: "61.5 TFLOP/s".
[[nodiscard]] std::optional<FlopPerSecond> parse_flop_rate(std::string_view text);

}  // namespace switchyard
