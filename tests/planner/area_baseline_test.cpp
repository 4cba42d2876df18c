#include "sim/planner/area_baseline.hpp"

#include <gmock/gmock.h>

namespace switchyard {
namespace {

using namespace literals;

// Efficiencies 1/2 and 1/8 are as far from 1/4 in the logarithm, and any loss that is even and
// convex is least there; the third row is not fitted to: 3 us / 0.25.
TEST(OneEfficiency, IsInTheMiddleOfTwoRowsToFitTo) {
  const std::vector<BaselineRow> rows{
      {.group = "a", .limit = 1_us, .measured = 2_us, .is_fit = true},
      {.group = "a", .limit = 1_us, .measured = 8_us, .is_fit = true},
      {.group = "a", .limit = 3_us, .measured = 1_us, .is_fit = false}};
  EXPECT_NEAR(one_efficiency(rows)[2].base(), 12e-6, 0.01e-6);
}

// All rows are 5 us + limit / 0.5, so the fit finds it, and the row left out is 5 + 40 us.
TEST(OneStartupAndRate, FindsTheLineThatRowsLieOn) {
  const std::vector<BaselineRow> rows{
      {.group = "a", .limit = 0.1_us, .measured = 5.2_us, .is_fit = true},
      {.group = "a", .limit = 4_us, .measured = 13_us, .is_fit = true},
      {.group = "a", .limit = 100_us, .measured = 205_us, .is_fit = true},
      {.group = "a", .limit = 20_us, .measured = 1_us, .is_fit = false}};
  EXPECT_NEAR(one_startup_and_rate(rows)[3].base(), 45e-6, 0.1e-6);
}

}  // namespace
}  // namespace switchyard
