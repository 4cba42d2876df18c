#include "sim/report/table_report.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/report/sample_report.hpp"

namespace switchyard {
namespace {

using testing::HasSubstr;
using testing::Not;

// Regression: the whole text. Its numbers follow from sample_report.hpp: dense 64 / 0.64 s = 100/s,
// shares of 0.64 s 50, 37.5, 10 and 2.5 %; sparse 64 / 0.8 s = 80/s, shares of 0.8 s 40, 20 and 40
// %.
TEST(FormatTable, ShowsCasesErrorsRatiosAndShares) {
  EXPECT_EQ(format_table(sample_report()), R"(tiny: What do experts cost?
engine analytic, seed 7

                     ours   published  error             step time   MFU  dropped p50 %  microbatches  memory
case           examples/s  examples/s      %  row               ms     %    enc. / dec.   x sequences      GB
-------------------------------------------------------------------------------------------------------------
dense               100.0       100.0   +0.0  fit            640.0  25.0              -         4 x 8    6.00
sparse, top-1        80.0       100.0  -20.0  predicted      800.0  20.0     1.3 / <0.1         4 x 8    6.00

1 predicted row: mean absolute error 20.0 %, largest -20.0 % (sparse, top-1).
1 fit row set the constants and is not counted.

                                       error  tolerance
ratio of examples/s   ours  published      %          %           row
---------------------------------------------------------------------------
sparse / dense       0.800      1.000  -20.0        5.0  outside  predicted
dense / dense        1.000      1.000   +0.0        0.0  ok       fit

                         error  best constant's
row left out of the fit      %          error %
-----------------------------------------------
dense                    +10.0            -40.0
sparse                   -20.0            +60.0
mean absolute             15.0             50.0

               atten-    feed-           all-to-  opti-
% of the step    tion  forward  experts      all  mizer  idle
-------------------------------------------------------------
dense            50.0     37.5        -        -   10.0   2.5
sparse, top-1    40.0        -     20.0     40.0      -     -

constant           value  provenance  plausible
------------------------------------------------
matmul efficiency  0.500  fitted      0.3 to 0.9
memory efficiency  0.750  assumed     0.6 to 1
one-hot passes     2.000  fitted      1 to 8
)");
}

TEST(FormatTable, GivesTheRangeOfStepTimesWhereDrawsDecideThem) {
  RunReport report = unpublished_report();
  EXPECT_THAT(format_table(report), Not(HasSubstr("p5 to p95")));
  report.cases[1].result.step_time_over_draws = {0.75, 0.8, 0.9625};
  const std::string text = format_table(report);
  EXPECT_THAT(text, HasSubstr("p5 to p95"));
  EXPECT_THAT(text, HasSubstr("750.0 to 962.5"));
}

TEST(FormatTable, SaysWhatDoesNotFitInAllOrSomeDraws) {
  RunReport report = sample_report();
  EXPECT_THAT(format_table(report), Not(HasSubstr("6.00 ")));
  report.cases[0].result.fits_in_memory = false;
  report.cases[0].result.fits_probability = 0.0;
  EXPECT_THAT(format_table(report), HasSubstr("6.00 too much\n"));
  // The median draw fits, 8 of 32 do not.
  report.cases[1].result.fits_probability = 0.75;
  EXPECT_THAT(format_table(report), HasSubstr("6.00 fits 75.0 % of draws\n"));
}

TEST(FormatTable, LeavesOutWhatIsNotPublished) {
  const std::string text = format_table(unpublished_report());
  for (const char* word : {"published", "error", "fit ", "predicted", "ratio", "left out"})
    EXPECT_THAT(text, Not(HasSubstr(word)));
  EXPECT_THAT(text, HasSubstr("80.0"));
}

TEST(FormatTable, SaysThatFitRowsAreNoEvidence) {
  RunReport report = sample_report();
  report.cases[1].published->role = Role::kFit;
  EXPECT_THAT(format_table(report), HasSubstr("No row was predicted"));
}

TEST(FormatTable, NamesConstantsByCaseWhereTheyDiffer) {
  RunReport report = sample_report();
  report.cases[1].matmul_efficiency.value = 0.625;
  EXPECT_THAT(format_table(report),
              HasSubstr("dense          matmul efficiency  0.500  fitted      0.3 to 0.9\n"));
  EXPECT_THAT(format_table(report),
              HasSubstr("sparse, top-1  matmul efficiency  0.625  fitted      0.3 to 0.9\n"));
}

TEST(FormatTable, FitsATerminalWithEveryClassPresent) {
  RunReport report = sample_report();
  CaseReport& row = report.cases[1];
  row.name = "Switch-Large cf 1.25.";  // 21 characters
  row.result.breakdown.clear();
  for (int i = 0; i < kNumOperatorClasses; ++i)
    row.result.breakdown.push_back({.operator_class = static_cast<OperatorClass>(i),
                                    .time = Seconds{0.8 / kNumOperatorClasses},
                                    .flop = {},
                                    .memory = {},
                                    .sent = {}});
  std::istringstream lines{format_table(report)};
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
  EXPECT_LE(widest, 110U);
}

}  // namespace
}  // namespace switchyard
