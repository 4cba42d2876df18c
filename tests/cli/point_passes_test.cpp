#include "sim/cli/calibration/point_passes.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

struct Timed {
  Seconds time;
  Seconds p10;
  Seconds p90;
  double pass_ratio = 1;
};

const References kReferences{{1, {.fastest = 1e-3, .slowest = 4e-3}}};

TEST(Passes, OfAQuietMachineAloneCount) {
  const Passes passes{.passes = {{1.0, 0.9, 1.1, 1e-3}, {8.0, 7.0, 9.0, 4e-3}}};
  Timed point;
  passes.put_into(kReferences, {}, point);
  EXPECT_DOUBLE_EQ(point.time.base(), 1.0);
  EXPECT_DOUBLE_EQ(point.p90.base(), 1.1);
  EXPECT_DOUBLE_EQ(point.pass_ratio, 1.0);
}

TEST(Passes, OfADisturbedMachineAreTakenAtItsBestSpeed) {
  const Passes passes{.family = "permute float32", .passes = {{8.0, 7.0, 9.0, 4e-3}}};
  Timed point;
  passes.put_into(kReferences, {}, point);
  EXPECT_DOUBLE_EQ(point.time.base(), 2.0);  // a quarter, as the reference
  passes.put_into(kReferences, {{"permute float32", 0.5}}, point);
  EXPECT_DOUBLE_EQ(point.time.base(), 4.0);  // its root: half
}

}  // namespace
}  // namespace switchyard
