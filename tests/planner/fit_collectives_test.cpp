#include "sim/planner/fit_collectives.hpp"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>

#include "sim/planner/held_out_error.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::ElementsAre;

/// Rows of 512 B, 1 KiB, ... with times given by a function of the size.
std::vector<CollectiveMeasurement> rows_of(int ranks, int count,
                                           const std::function<Seconds(Bytes)>& time) {
  std::vector<CollectiveMeasurement> rows;
  for (int i = 0; i < count; ++i) {
    const Bytes size{512 * std::exp2(i)};
    rows.push_back({.system = "test",
                    .library = "test",
                    .kind = CollectiveKind::kAllToAll,
                    .ranks = ranks,
                    .size = size,
                    .time = time(size)});
  }
  return rows;
}

Seconds alpha_beta(Bytes size) { return 8_us + size / 200_GBps; }

TEST(SecondModeRows, AreThoseSlowerThanALargerSizeByMoreThanAQuarter) {
  auto rows = rows_of(8, 6, [](Bytes) { return 10_us; });
  rows[1].time = 12.6_us;  // 1.26 times the later ones
  rows[2].time = 12.4_us;
  rows[5].time = 9.8_us;  // 12.4 / 9.8 = 1.265: now the second is one, too
  EXPECT_THAT(second_mode_rows(rows), ElementsAre(false, true, true, false, false, false));
  rows[5].time = 50_us;  // nothing larger is measured, so nothing tells
  EXPECT_THAT(second_mode_rows(rows), ElementsAre(false, true, false, false, false, false));
}

TEST(FitCurve, NeedsTwoKnotsForAlphaBeta) {
  const TimeCurve curve = fit_curve(rows_of(8, 21, alpha_beta));
  EXPECT_THAT(curve.sizes, ElementsAre(512_B, 512_MiB));
  // The line through both ends is the model, but for the rounding to four digits.
  for (const Bytes size : {1_KiB, 100_KiB, 3_MiB, 100_MiB})
    EXPECT_NEAR(curve_time(curve, size) / alpha_beta(size), 1.0, 2e-4);
}

TEST(FitCurve, PoolsTimesThatDescend) {
  // 10 and 9 us become their geometric mean, sqrt(90) = 9.487 us, twice.
  auto rows = rows_of(2, 3, [](Bytes) { return 10_us; });
  rows[1].time = 9_us;
  rows[2].time = 20_us;
  const TimeCurve curve = fit_curve(rows);
  EXPECT_EQ(curve.times.front(), 9.487_us);
  EXPECT_NEAR(curve_time(curve, 1_KiB).base() * 1e6, 9.487, 1e-9);
  EXPECT_EQ(curve.times.back(), 20_us);
}

TEST(FitCollectives, RecoversAlphaBetaAtSizesHeldOut) {
  const CollectiveFit fit = fit_collectives(rows_of(8, 21, alpha_beta), 450_GBps);
  for (const CollectiveRow& row : fit.rows) EXPECT_NEAR(row.error(), 0.0, 3e-4);
  for (const double p90 : fit.profile.collectives.at(0).held_out_p90) EXPECT_LT(p90, 0.02);
}

TEST(FitCollectives, HoldsOutEveryThirdSizeAndEachOnceInAll) {
  const CollectiveFit fit = fit_collectives(rows_of(8, 9, alpha_beta), 450_GBps);
  for (std::size_t i = 0; i < fit.rows.size(); ++i)
    EXPECT_EQ(fit.rows[i].is_held_out, i % 3 == 2) << i;
  EXPECT_EQ(fit.each_held_out_once.size(), 9U);
}

TEST(FitCollectives, DoesNotSeeWhatIsHeldOut) {
  auto rows = rows_of(8, 9, alpha_beta);
  const TimeCurve before = fit_collectives(rows, 450_GBps).profile.collectives[0].curves[0];
  rows[5].time = 1.1 * rows[5].time;  // not enough for a second mode
  const TimeCurve after = fit_collectives(rows, 450_GBps).profile.collectives[0].curves[0];
  EXPECT_EQ(after.sizes, before.sizes);
  EXPECT_EQ(after.times, before.times);
}

TEST(FitCollectives, LeavesSecondModesOutOfTheFit) {
  auto rows = rows_of(8, 21, alpha_beta);
  rows[3].time = 2 * rows[3].time;
  const CollectiveFit fit = fit_collectives(rows, 450_GBps);
  EXPECT_TRUE(fit.rows[3].is_second_mode);
  EXPECT_NEAR(fit.rows[3].error(), -0.5, 1e-3);
  EXPECT_NEAR(fit.rows[4].error(), 0.0, 1e-3);
}

TEST(TransferToFewerRanks, IsExactWhereOnlyThePortShareChanges) {
  // T = 8 us + (p - 1)/p * S / 200 GB/s for both numbers of ranks: the same startup and inflation.
  const auto model = [](int ranks) {
    return [ranks](Bytes size) { return 8_us + (ranks - 1.0) / ranks * size / 200_GBps; };
  };
  auto rows = rows_of(8, 15, model(8));
  for (const auto& row : rows_of(2, 15, model(2))) rows.push_back(row);
  const CollectiveFit fit = fit_collectives(rows, 450_GBps);
  const std::vector<CollectiveRow> transferred = transfer_to_fewer_ranks(fit);
  ASSERT_EQ(transferred.size(), 15U);
  for (const CollectiveRow& row : transferred) {
    EXPECT_EQ(row.measured.ranks, 2);
    EXPECT_NEAR(row.error(), 0.0, 2e-3);
  }
}

TEST(HeldOutError, IsOfSizesAndNothingWhereThereAreNone) {
  const double errors[] = {-0.3, 0.1, 0.2};
  const HeldOutError of_three = summarize(errors);
  EXPECT_EQ(of_three.rows, 3);
  EXPECT_DOUBLE_EQ(of_three.median, 0.2);
  EXPECT_DOUBLE_EQ(of_three.p90, 0.28);  // 0.8 of the way from 0.2 to 0.3
  EXPECT_DOUBLE_EQ(of_three.largest, 0.3);
  EXPECT_EQ(summarize({}).rows, 0);
  EXPECT_EQ(summarize({}).p90, 0.0);
}

}  // namespace
}  // namespace switchyard
