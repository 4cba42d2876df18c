#pragma once

#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "sim/core/units.hpp"

/// Prints four significant digits with an SI prefix and the unit: "12.5 us", "450 GB/s". Times from
/// two minutes on are in min, h or d. Never a bare number.
template <int T, int B, int F>
struct fmt::formatter<switchyard::Quantity<T, B, F>> {
  constexpr auto parse(format_parse_context& ctx) { return ctx.begin(); }

  template <class Context>
  auto format(switchyard::Quantity<T, B, F> q, Context& ctx) const {
    double v = q.base();
    if constexpr (kIsTime) {
      struct LongUnit {
        double seconds;
        std::string_view symbol;
      };
      constexpr LongUnit kLongUnits[] = {{86400.0, "d"}, {3600.0, "h"}, {60.0, "min"}};
      for (const auto& [seconds, symbol] : kLongUnits)
        if (std::abs(v) >= 2 * seconds)
          return fmt::format_to(ctx.out(), "{:.4g} {}", v / seconds, symbol);
    }
    if constexpr (kIsFrequency) {
      return fmt::format_to(ctx.out(), "{:.4g} 1/s", v);
    } else {
      constexpr std::string_view kPrefix[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
      constexpr int kNoPrefix = 3;
      constexpr int kLargest = 9;
      int i = kNoPrefix;
      while (!kIsTime && std::abs(v) >= 1000.0 && i < kLargest) {
        v /= 1000.0;
        ++i;
      }
      while (v != 0.0 && std::abs(v) < 1.0 && i > 0) {
        v *= 1000.0;
        --i;
      }
      return fmt::format_to(ctx.out(), "{:.4g} {}{}", v, kPrefix[i], symbol());
    }
  }

 private:
  static constexpr bool kIsTime = T == 1 && B == 0 && F == 0;
  static constexpr bool kIsFrequency = T == -1 && B == 0 && F == 0;

  template <int>
  static constexpr bool kHasSymbol = false;  // dependent, so it fires only when reached

  static constexpr std::string_view symbol() {
    if constexpr (kIsTime)
      return "s";
    else if constexpr (T == 0 && B == 1 && F == 0)
      return "B";
    else if constexpr (T == 0 && B == 0 && F == 1)
      return "FLOP";
    else if constexpr (T == -1 && B == 1 && F == 0)
      return "B/s";
    else if constexpr (T == -1 && B == 0 && F == 1)
      return "FLOP/s";
    else if constexpr (T == 0 && B == -1 && F == 1)
      return "FLOP/B";
    else
      static_assert(kHasSymbol<T>, "this quantity has no unit symbol yet: add one here");
  }
};
