#include "sim/report/prediction_error.hpp"

#include <gtest/gtest.h>

#include "tests/report/sample_report.hpp"

namespace switchyard {
namespace {

TEST(SummarizeErrors, CountsPredictedRowsOnly) {
  RunReport report = sample_report();
  // A fit row that is 50 % off must change nothing; a second predicted row is 80/64 - 1 = +25 %
  // off.
  report.cases[0].published->examples_rate = PerSecond{200.0};
  report.cases.push_back(report.cases[1]);
  report.cases[2].name = "third";
  report.cases[2].published->examples_rate = PerSecond{64.0};

  const ErrorSummary summary = summarize_errors(report);
  EXPECT_EQ(summary.num_predicted, 2);
  EXPECT_EQ(summary.num_fit, 1);
  EXPECT_DOUBLE_EQ(summary.mean_absolute_error, 0.225);  // (20 % + 25 %) / 2
  EXPECT_DOUBLE_EQ(summary.largest_error, 0.25);
  EXPECT_EQ(summary.largest_error_case, "third");
}

TEST(SummarizeErrors, IsEmptyWithoutPublishedRates) {
  const ErrorSummary summary = summarize_errors(unpublished_report());
  EXPECT_EQ(summary.num_predicted, 0);
  EXPECT_EQ(summary.num_fit, 0);
  EXPECT_EQ(summary.mean_absolute_error, 0.0);
}

TEST(IsWithinTolerance, CountsTheBoundaryAsInside) {
  const RatioReport high{.name = "", .predicted = 1.25, .published = 1.0, .tolerance = 0.25};
  const RatioReport low{.name = "", .predicted = 0.5, .published = 1.0, .tolerance = 0.25};
  EXPECT_TRUE(is_within_tolerance(high));
  EXPECT_FALSE(is_within_tolerance(low));
}

TEST(SummarizeLeaveOneOut, AveragesTheAbsoluteErrors) {
  const LeaveOneOutSummary summary = summarize_leave_one_out(sample_report());
  EXPECT_DOUBLE_EQ(summary.model, 0.15);    // (10 % + 20 %) / 2
  EXPECT_DOUBLE_EQ(summary.constant, 0.5);  // (40 % + 60 %) / 2
}

}  // namespace
}  // namespace switchyard
