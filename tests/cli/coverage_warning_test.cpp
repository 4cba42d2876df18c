#include "sim/cli/calibration/coverage_warning.hpp"

#include <gmock/gmock.h>

namespace switchyard {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Of `count` held-out rows that took 1 s the first `covered` are within their interval.
std::vector<CalibrationRow> rows_of(int covered, int count) {
  std::vector<CalibrationRow> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back({.role = PointRole::kHeldOut,
                    .measured = Seconds{1},
                    .low = Seconds{i < covered ? 0.9 : 1.1},
                    .high = Seconds{1.2}});
  rows.push_back({.role = PointRole::kFit, .measured = Seconds{1}, .low = Seconds{2}});
  return rows;
}

TEST(CoverageWarning, IsOfIntervalsThatAreTooNarrowOrTooWide) {
  // 31 of 40 are 77.5 %, 32 are 80 %; 38 are 95 %, 39 are 97.5 %.
  EXPECT_THAT(coverage_warning(rows_of(31, 40)),
              StartsWith("warning: 78 % of 40 held-out points lie within their 90 % intervals, "
                         "which are too narrow: measure more shapes (calibrate --budget"));
  EXPECT_EQ(coverage_warning(rows_of(32, 40)), "");
  EXPECT_EQ(coverage_warning(rows_of(38, 40)), "");
  EXPECT_THAT(coverage_warning(rows_of(39, 40)), HasSubstr("too wide"));
}

TEST(CoverageWarning, SaysThatTooFewPointsSayNothing) {
  EXPECT_THAT(coverage_warning(rows_of(0, 29)), StartsWith("note: 29 held-out points are too few"));
  EXPECT_THAT(coverage_warning(rows_of(0, 30)), StartsWith("warning: 0 % of 30"));
  EXPECT_EQ(coverage_warning(rows_of(0, 0)), "");
}

}  // namespace
}  // namespace switchyard
