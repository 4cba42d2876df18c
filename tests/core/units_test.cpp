#include "sim/core/units.hpp"

#include <concepts>

#include <gtest/gtest.h>

#include "sim/core/units_format.hpp"

namespace switchyard {
namespace {

using namespace literals;

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};

static_assert(std::same_as<decltype(1_MB / 1_GBps), Seconds>);
static_assert(std::same_as<decltype(1_TFLOPps / 1_GBps), FlopPerByte>);
static_assert(std::same_as<decltype(1_GFLOP / 1_TFLOPps), Seconds>);
static_assert(std::same_as<decltype(1_GBps * 1_s), Bytes>);
static_assert(std::same_as<decltype(1_MB / 1_MB), double>);
static_assert(std::same_as<decltype(1.0 / 1_ms), PerSecond>);
static_assert(std::same_as<decltype(PerSecond{1} * 1_s), double>);

static_assert(Addable<Seconds, Seconds> && !Addable<Seconds, Bytes> && !Addable<Seconds, double>);
static_assert(Comparable<Bytes, Bytes> && !Comparable<Seconds, Bytes>);
static_assert(!Comparable<Seconds, double>);
static_assert(!std::convertible_to<double, Seconds>);
static_assert(!std::convertible_to<Seconds, double>);

static_assert(400_Gbps == 50_GBps);
static_assert(1_MiB > 1_MB && 1_GiB == 1024_MiB && 1_MiB == 1024_KiB && 1_KiB == 1024_B);
static_assert(1_GB == 1000_MB && 1_MB == 1000_kB);
static_assert(1.5_us == Seconds{1.5e-6} && 2_ms == Seconds{2e-3} && 3_ns == Seconds{3e-9});
static_assert(1_TBps == 1000_GBps && 8_Gbps == 1'000'000'000_Bps);
static_assert(1_PFLOPps == 1000_TFLOPps && 61.5_TFLOPps == FlopPerSecond{61.5e12});

TEST(Quantity, KeepsTheArithmeticOfItsNumbers) {
  EXPECT_EQ(3_s - 1_s, 2_s);
  EXPECT_EQ(-(3_s) + 1_s, -(2_s));
  EXPECT_EQ(3_s * 2.0, 6_s);
  EXPECT_EQ(3_s / 2.0, 1.5_s);
  EXPECT_EQ(1.0 / 4_s, PerSecond{0.25});

  Seconds total = 1_s;
  total += 4_s;  // 5
  total -= 2_s;  // 3
  total *= 4.0;  // 12
  total /= 3.0;  // 4
  EXPECT_EQ(total, 4_s);
}

TEST(Quantity, PrintsWithPrefixAndUnit) {
  EXPECT_EQ(fmt::format("{}", 12.5_us), "12.5 us");
  EXPECT_EQ(fmt::format("{}", -12.5_us), "-12.5 us");
  EXPECT_EQ(fmt::format("{}", 450_GBps), "450 GB/s");
  EXPECT_EQ(fmt::format("{}", 989_TFLOPps), "989 TFLOP/s");
  EXPECT_EQ(fmt::format("{}", 1e6 * 4_TFLOP), "4 EFLOP");
  EXPECT_EQ(fmt::format("{}", 61.5_TFLOPps / 0.75_TBps), "82 FLOP/B");
  EXPECT_EQ(fmt::format("{}", Seconds{0}), "0 s");
  EXPECT_EQ(fmt::format("{}", PerSecond{12.5}), "12.5 1/s");
}

TEST(Quantity, PrintsLongTimesInMinutesHoursAndDays) {
  EXPECT_EQ(fmt::format("{}", 119_s), "119 s");
  EXPECT_EQ(fmt::format("{}", 150_s), "2.5 min");
  EXPECT_EQ(fmt::format("{}", 9000_s), "2.5 h");
  EXPECT_EQ(fmt::format("{}", 864000_s), "10 d");
}

}  // namespace
}  // namespace switchyard
