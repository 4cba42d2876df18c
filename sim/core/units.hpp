#pragma once

#include <compare>

namespace switchyard {

/// A physical quantity with dimension second^T * byte^B * flop^F, held in base units (s, B, FLOP).
///
/// Products and quotients derive the dimension; sums and comparisons need equal dimensions, so
/// adding a latency to a size does not compile. A quotient of like quantities is a plain double.
/// Construct from literals (`900_GBps`, `1.5_us`) or `Quantity{x}` where x is in base units.
template <int T, int B, int F>
class Quantity {
 public:
  constexpr Quantity() = default;
  explicit constexpr Quantity(double base_units) : value_{base_units} {}

  /// The number in base units. For I/O, SimGrid calls and tests; not for arithmetic.
  [[nodiscard]] constexpr double base() const { return value_; }

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator-(Quantity q) { return Quantity{-q.value_}; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity{a.value_ + b.value_};
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity{a.value_ - b.value_};
  }
  friend constexpr Quantity operator*(double k, Quantity q) { return Quantity{k * q.value_}; }
  friend constexpr Quantity operator*(Quantity q, double k) { return k * q; }
  friend constexpr Quantity operator/(Quantity q, double k) { return Quantity{q.value_ / k}; }
  constexpr Quantity& operator+=(Quantity q) { return *this = *this + q; }
  constexpr Quantity& operator-=(Quantity q) { return *this = *this - q; }
  constexpr Quantity& operator*=(double k) { return *this = *this * k; }
  constexpr Quantity& operator/=(double k) { return *this = *this / k; }

 private:
  double value_ = 0.0;
};

namespace detail {
template <int T, int B, int F>
constexpr auto make_quantity(double base_units) {
  if constexpr (T == 0 && B == 0 && F == 0)
    return base_units;
  else
    return Quantity<T, B, F>{base_units};
}
}  // namespace detail

template <int T1, int B1, int F1, int T2, int B2, int F2>
constexpr auto operator*(Quantity<T1, B1, F1> a, Quantity<T2, B2, F2> b) {
  return detail::make_quantity<T1 + T2, B1 + B2, F1 + F2>(a.base() * b.base());
}
template <int T1, int B1, int F1, int T2, int B2, int F2>
constexpr auto operator/(Quantity<T1, B1, F1> a, Quantity<T2, B2, F2> b) {
  return detail::make_quantity<T1 - T2, B1 - B2, F1 - F2>(a.base() / b.base());
}
template <int T, int B, int F>
constexpr Quantity<-T, -B, -F> operator/(double k, Quantity<T, B, F> q) {
  return Quantity<-T, -B, -F>{k / q.base()};
}

using Seconds = Quantity<1, 0, 0>;
using PerSecond = Quantity<-1, 0, 0>;  ///< steps, examples, tokens or clock ticks a second
using Bytes = Quantity<0, 1, 0>;
using Flop = Quantity<0, 0, 1>;             ///< a count of operations; one FMA is 2
using BytesPerSecond = Quantity<-1, 1, 0>;  ///< decimal: 1 GB/s is 1e9 B/s
using FlopPerSecond = Quantity<-1, 0, 1>;
using FlopPerByte = Quantity<0, -1, 1>;  ///< arithmetic intensity

namespace detail {
// Dividing by an exact power of ten gives the double nearest to the decimal; times 1e-9 does not.
constexpr Seconds seconds(long double number, double units_per_second) {
  return Seconds{static_cast<double>(number) / units_per_second};
}
constexpr Bytes bytes(long double number, double unit) {
  return Bytes{static_cast<double>(number) * unit};
}
constexpr BytesPerSecond bandwidth(long double number, double unit) {
  return BytesPerSecond{static_cast<double>(number) * unit};
}
constexpr Flop flop(long double number, double unit) {
  return Flop{static_cast<double>(number) * unit};
}
constexpr FlopPerSecond flop_rate(long double number, double unit) {
  return FlopPerSecond{static_cast<double>(number) * unit};
}
}  // namespace detail

// Decimal prefixes are powers of ten; binary sizes say so (KiB, MiB, GiB). `Bps` is bytes per
// second, `bps` is bits. Each unit takes fractions (`1.5_us`) and whole numbers (`8_us`).
namespace literals {
constexpr auto operator""_s(long double v) { return detail::seconds(v, 1.0); }
constexpr auto operator""_s(unsigned long long v) { return detail::seconds(v, 1.0); }
constexpr auto operator""_ms(long double v) { return detail::seconds(v, 1e3); }
constexpr auto operator""_ms(unsigned long long v) { return detail::seconds(v, 1e3); }
constexpr auto operator""_us(long double v) { return detail::seconds(v, 1e6); }
constexpr auto operator""_us(unsigned long long v) { return detail::seconds(v, 1e6); }
constexpr auto operator""_ns(long double v) { return detail::seconds(v, 1e9); }
constexpr auto operator""_ns(unsigned long long v) { return detail::seconds(v, 1e9); }

constexpr auto operator""_B(long double v) { return detail::bytes(v, 1.0); }
constexpr auto operator""_B(unsigned long long v) { return detail::bytes(v, 1.0); }
constexpr auto operator""_kB(long double v) { return detail::bytes(v, 1e3); }
constexpr auto operator""_kB(unsigned long long v) { return detail::bytes(v, 1e3); }
constexpr auto operator""_MB(long double v) { return detail::bytes(v, 1e6); }
constexpr auto operator""_MB(unsigned long long v) { return detail::bytes(v, 1e6); }
constexpr auto operator""_GB(long double v) { return detail::bytes(v, 1e9); }
constexpr auto operator""_GB(unsigned long long v) { return detail::bytes(v, 1e9); }
constexpr auto operator""_TB(long double v) { return detail::bytes(v, 1e12); }
constexpr auto operator""_TB(unsigned long long v) { return detail::bytes(v, 1e12); }
constexpr auto operator""_KiB(long double v) { return detail::bytes(v, 0x1p10); }
constexpr auto operator""_KiB(unsigned long long v) { return detail::bytes(v, 0x1p10); }
constexpr auto operator""_MiB(long double v) { return detail::bytes(v, 0x1p20); }
constexpr auto operator""_MiB(unsigned long long v) { return detail::bytes(v, 0x1p20); }
constexpr auto operator""_GiB(long double v) { return detail::bytes(v, 0x1p30); }
constexpr auto operator""_GiB(unsigned long long v) { return detail::bytes(v, 0x1p30); }

constexpr auto operator""_Bps(long double v) { return detail::bandwidth(v, 1.0); }
constexpr auto operator""_Bps(unsigned long long v) { return detail::bandwidth(v, 1.0); }
constexpr auto operator""_MBps(long double v) { return detail::bandwidth(v, 1e6); }
constexpr auto operator""_MBps(unsigned long long v) { return detail::bandwidth(v, 1e6); }
constexpr auto operator""_GBps(long double v) { return detail::bandwidth(v, 1e9); }
constexpr auto operator""_GBps(unsigned long long v) { return detail::bandwidth(v, 1e9); }
constexpr auto operator""_TBps(long double v) { return detail::bandwidth(v, 1e12); }
constexpr auto operator""_TBps(unsigned long long v) { return detail::bandwidth(v, 1e12); }
constexpr auto operator""_Gbps(long double v) { return detail::bandwidth(v, 1e9 / 8); }
constexpr auto operator""_Gbps(unsigned long long v) { return detail::bandwidth(v, 1e9 / 8); }
constexpr auto operator""_Tbps(long double v) { return detail::bandwidth(v, 1e12 / 8); }
constexpr auto operator""_Tbps(unsigned long long v) { return detail::bandwidth(v, 1e12 / 8); }

constexpr auto operator""_FLOP(long double v) { return detail::flop(v, 1.0); }
constexpr auto operator""_FLOP(unsigned long long v) { return detail::flop(v, 1.0); }
constexpr auto operator""_GFLOP(long double v) { return detail::flop(v, 1e9); }
constexpr auto operator""_GFLOP(unsigned long long v) { return detail::flop(v, 1e9); }
constexpr auto operator""_TFLOP(long double v) { return detail::flop(v, 1e12); }
constexpr auto operator""_TFLOP(unsigned long long v) { return detail::flop(v, 1e12); }

constexpr auto operator""_GFLOPps(long double v) { return detail::flop_rate(v, 1e9); }
constexpr auto operator""_GFLOPps(unsigned long long v) { return detail::flop_rate(v, 1e9); }
constexpr auto operator""_TFLOPps(long double v) { return detail::flop_rate(v, 1e12); }
constexpr auto operator""_TFLOPps(unsigned long long v) { return detail::flop_rate(v, 1e12); }
constexpr auto operator""_PFLOPps(long double v) { return detail::flop_rate(v, 1e15); }
constexpr auto operator""_PFLOPps(unsigned long long v) { return detail::flop_rate(v, 1e15); }
}  // namespace literals

}  // namespace switchyard
