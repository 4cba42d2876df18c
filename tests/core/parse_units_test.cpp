#include "sim/core/parse_units.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using namespace literals;

TEST(ParseSeconds, ReadsEveryUnit) {
  EXPECT_EQ(parse_seconds("2 s"), 2_s);
  EXPECT_EQ(parse_seconds("2.5 ms"), 2.5_ms);
  EXPECT_EQ(parse_seconds("1.5 us"), 1.5_us);
  EXPECT_EQ(parse_seconds("300ns"), 300_ns);
  EXPECT_EQ(parse_seconds("1.5 min"), 90_s);
  EXPECT_EQ(parse_seconds("2 h"), 7200_s);
  EXPECT_EQ(parse_seconds("1 d"), 86400_s);
}

TEST(ParseBytes, TellsPowersOfTenFromPowersOfTwo) {
  EXPECT_EQ(parse_bytes("512 MiB"), 512_MiB);
  EXPECT_EQ(parse_bytes("1 GiB"), Bytes{1073741824});  // 2^30
  EXPECT_EQ(parse_bytes("1 GB"), Bytes{1000000000});
  EXPECT_EQ(parse_bytes("80GB"), 80_GB);
  EXPECT_EQ(parse_bytes("1 TiB"), 1024_GiB);
  EXPECT_EQ(parse_bytes("0 B"), Bytes{0});
}

TEST(ParseBandwidth, TellsBitsFromBytes) {
  EXPECT_EQ(parse_bandwidth("400 Gbps"), 50_GBps);
  EXPECT_EQ(parse_bandwidth("400GB/s"), 400_GBps);
  EXPECT_EQ(parse_bandwidth("900 GB/s"), 900_GBps);
  EXPECT_EQ(parse_bandwidth("656 Gbps"), 82_GBps);  // 656 / 8
  EXPECT_EQ(parse_bandwidth("3.35 TB/s"), 3.35_TBps);
  EXPECT_EQ(parse_bandwidth("1 GiB/s"), BytesPerSecond{1073741824});
}

TEST(ParseFlopRate, ReadsRates) {
  EXPECT_EQ(parse_flop_rate("61.5 TFLOP/s"), 61.5_TFLOPps);
  EXPECT_EQ(parse_flop_rate("1 PFLOP/s"), 1000_TFLOPps);
}

TEST(ParseFlop, ReadsCounts) { EXPECT_EQ(parse_flop("2 TFLOP"), 2000_GFLOP); }

TEST(ParseUnits, AllowsSpacesAndExponents) {
  EXPECT_EQ(parse_bandwidth(" 9e2   GB/s "), 900_GBps);
  EXPECT_EQ(parse_seconds("-1 us"), -1_us) << "the sign is for the caller to judge";
}

class ParseBandwidthRejects : public testing::TestWithParam<const char*> {};
TEST_P(ParseBandwidthRejects, MissingOrUnknownUnit) {
  EXPECT_EQ(parse_bandwidth(GetParam()), std::nullopt);
}
INSTANTIATE_TEST_SUITE_P(All, ParseBandwidthRejects,
                         testing::Values("400", "400 gbps", "400 Gbps!", "", " ", "fast", "400 GB",
                                         "400 /s", "inf GB/s", "nan GB/s", "1e300 TB/s",
                                         "1e999 GB/s", "0x10 GB/s", "1,5 GB/s", "400 Gb"));

TEST(ParseSeconds, RejectsOtherDimensions) {
  EXPECT_EQ(parse_seconds("400 GB"), std::nullopt);
  EXPECT_EQ(parse_seconds("400"), std::nullopt);
  EXPECT_EQ(parse_seconds("1 Ms"), std::nullopt);
}

TEST(ParseFlopRate, RejectsACountOfFlop) {
  EXPECT_EQ(parse_flop_rate("61.5 TFLOP"), std::nullopt);
  EXPECT_EQ(parse_flop_rate("61.5 TFLOPS"), std::nullopt);  // count or rate? the unit must say
}

}  // namespace
}  // namespace switchyard
