#include "sim/core/error.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(Check, DoesNothingWhenTheConditionHolds) {
  int num_evaluations = 0;
  SWITCHYARD_CHECK(num_evaluations == 0, "{}", ++num_evaluations);
  EXPECT_EQ(num_evaluations, 0) << "the values of the message are for failures only";
}

TEST(CheckDeathTest, AbortsWithPlaceConditionAndValues) {
  const int num_ranks = 3;
  EXPECT_DEATH(SWITCHYARD_CHECK(num_ranks % 2 == 0, "{} ranks", num_ranks),
               "error_test.cpp:[0-9]+: num_ranks % 2 == 0 does not hold: 3 ranks");
}

TEST(ConfigError, CarriesItsText) {
  const ConfigError error{"bad.yaml:4:3: fabric: missing"};
  EXPECT_STREQ(error.what(), "bad.yaml:4:3: fabric: missing");
}

}  // namespace
}  // namespace switchyard
