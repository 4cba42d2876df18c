#include "cost_models/collective_profile.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

using namespace literals;

/// A library that takes 10 us plus 100 GB/s up to 1 MB, 15 us plus 200 GB/s beyond, over 8 ranks;
/// and over 2 ranks 5 us and the same rates. Links of 400 GB/s.
///
///   8 ranks: T(1 MB) = 10 + 10 = 20 us, T(3 MB) = 15 + 15 = 30 us: rate between = 2 MB / 10 us
CollectiveProfile two_counts() {
  CollectiveProfile profile;
  profile.name = "test";
  profile.library = "test";
  profile.link_bandwidth = 400_GBps;
  profile.collectives = {
      {.kind = CollectiveKind::kAllToAll,
       .curves = {{.ranks = 2, .sizes = {1_kB, 1_MB, 3_MB}, .times = {5_us, 15_us, 25_us}},
                  {.ranks = 8, .sizes = {1_kB, 1_MB, 3_MB}, .times = {10_us, 20_us, 30_us}}},
       .held_out_p90 = {0.01, 0.02, 0.03},
       .transfer_p90 = 0.5}};
  return profile;
}

Seconds ideal(int ranks, Bytes size) {
  return port_bytes_per_byte(CollectiveKind::kAllToAll, ranks) * size / 400_GBps;
}

TransportCost cost(int ranks, Bytes size) {
  return transport_cost(two_counts(), CollectiveKind::kAllToAll, ranks, size, ideal(ranks, size));
}

Seconds total(int ranks, Bytes size) {
  const TransportCost c = cost(ranks, size);
  return c.startup + c.byte_inflation * ideal(ranks, size);
}

TEST(CurveTime, IsAlphaBetaBetweenKnotsAndGoesOnBeyond) {
  const TimeCurve curve = two_counts().collectives[0].curves[1];
  EXPECT_EQ(curve_time(curve, Bytes{}), 10_us);  // below the first knot: its time
  EXPECT_EQ(curve_time(curve, 1_kB), 10_us);
  EXPECT_NEAR(curve_time(curve, 2_MB).base(), 25e-6, 1e-15);  // half way from 20 to 30 us
  EXPECT_NEAR(curve_time(curve, 5_MB).base(), 40e-6, 1e-15);  // 2 MB further at 2 MB / 10 us
}

TEST(CurveTime, GrowsWithTheSize) {
  const TimeCurve curve = two_counts().collectives[0].curves[0];
  for (double size = 100; size < 1e8; size *= 1.1)
    EXPECT_LE(curve_time(curve, Bytes{size}), curve_time(curve, Bytes{1.1 * size}));
}

TEST(PortBytesPerByte, IsTheBusFactorOfNcclTests) {
  EXPECT_EQ(port_bytes_per_byte(CollectiveKind::kAllToAll, 8), 7.0 / 8);
  EXPECT_EQ(port_bytes_per_byte(CollectiveKind::kAllReduce, 8), 14.0 / 8);
  EXPECT_EQ(port_bytes_per_byte(CollectiveKind::kAllGather, 2), 0.5);
  EXPECT_EQ(port_bytes_per_byte(CollectiveKind::kPointToPoint, 2), 1.0);
}

TEST(SizeBand, SplitsAt64KiBAndAfter4MiB) {
  EXPECT_EQ(size_band(Bytes{65535}), SizeBand::kBelow64KiB);
  EXPECT_EQ(size_band(64_KiB), SizeBand::kTo4MiB);
  EXPECT_EQ(size_band(4_MiB), SizeBand::kTo4MiB);
  EXPECT_EQ(size_band(Bytes{4 * 0x1p20 + 1}), SizeBand::kAbove4MiB);
}

TEST(TransportCost, ReproducesTheCurveOfAMeasuredNumberOfRanks) {
  for (const int ranks : {2, 8})
    for (const Bytes size : {Bytes{}, 1_kB, 300_kB, 1_MB, 2_MB, 100_MB}) {
      const TimeCurve curve = two_counts().collectives[0].curves[ranks == 2 ? 0 : 1];
      EXPECT_NEAR(total(ranks, size) / curve_time(curve, size), 1.0, 1e-12)
          << ranks << " ranks, " << size.base() << " B";
    }
}

TEST(TransportCost, OfNoBytesIsTheStartup) {
  EXPECT_EQ(cost(8, Bytes{}).startup, 10_us);
  EXPECT_EQ(cost(8, Bytes{}).byte_inflation, 1.0);
}

TEST(TransportCost, SplitsWhatTheCurveTakesIntoStartupAndInflation) {
  // 8 ranks, 1 MB: ideal = 7/8 MB / 400 GB/s = 2.1875 us; (20 - 10) us / 2.1875 us = 4.571...
  EXPECT_EQ(cost(8, 1_MB).startup, 10_us);
  EXPECT_NEAR(cost(8, 1_MB).byte_inflation, 10.0 / 2.1875, 1e-12);
}

TEST(TransportCost, IsNeverBelowTheIdealTransfer) {
  // Flows that already take 19.5 of the 20 us leave 0.5 us of startup, and of 25 us nothing.
  const CollectiveProfile profile = two_counts();
  const auto with_ideal = [&](Seconds ideal_transfer) {
    return transport_cost(profile, CollectiveKind::kAllToAll, 8, 1_MB, ideal_transfer);
  };
  EXPECT_NEAR(with_ideal(19.5_us).startup.base(), 0.5e-6, 1e-15);
  EXPECT_EQ(with_ideal(19.5_us).byte_inflation, 1.0);
  EXPECT_EQ(with_ideal(25_us).startup, Seconds{});
  EXPECT_EQ(with_ideal(25_us).byte_inflation, 1.0);
  for (const int ranks : {2, 3, 4, 8, 16})
    for (double size = 1; size < 1e10; size *= 3)
      EXPECT_GE(total(ranks, Bytes{size}), ideal(ranks, Bytes{size}));
}

TEST(TransportCost, InterpolatesStartupAndInflationInTheLogarithmOfTheRanks) {
  // 4 is half way from 2 to 8 in log2: startup (5 + 10)/2. At 1 MB the inflations are
  // 10 us / (1/2 MB / 400 GB/s = 1.25 us) = 8 and 10 / 2.1875 = 4.571...
  EXPECT_NEAR(cost(4, 1_MB).startup.base(), 7.5e-6, 1e-15);
  EXPECT_NEAR(cost(4, 1_MB).byte_inflation, (8 + 10 / 2.1875) / 2, 1e-12);
}

TEST(TransportCost, TakesTheNearestCurveBeyondTheMeasuredRanks) {
  EXPECT_EQ(cost(16, 1_MB).startup, 10_us);
  EXPECT_NEAR(cost(16, 1_MB).byte_inflation, 10 / 2.1875, 1e-12);
}

TEST(TransportCost, SaysWhatIsExtrapolatedAndHowFarOffItMayBe) {
  EXPECT_EQ(cost(8, 1_MB).provenance, Provenance::kFitted);
  EXPECT_EQ(cost(8, 1_MB).error_band, 0.02);
  EXPECT_EQ(cost(8, 5_MB).provenance, Provenance::kExtrapolated);  // beyond the last knot
  EXPECT_EQ(cost(8, 5_MB).error_band, 0.03);
  for (const int ranks : {4, 16}) {
    EXPECT_EQ(cost(ranks, 1_MB).provenance, Provenance::kExtrapolated);
    EXPECT_EQ(cost(ranks, 1_MB).error_band, 0.5);
  }
}

TEST(TransportCost, OfOneRankIsNothing) {
  EXPECT_EQ(cost(1, 1_MB).startup, Seconds{});
  EXPECT_EQ(cost(1, 1_MB).byte_inflation, 1.0);
}

TEST(TransportCostDeathTest, NeedsTheKind) {
  EXPECT_DEATH((void)transport_cost(two_counts(), CollectiveKind::kAllReduce, 8, 1_MB, 1_us),
               "test has no times of all_reduce");
}

}  // namespace
}  // namespace switchyard
