#include "sim/workload/pipeline/in_flight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/workload/pipeline/pipeline_examples.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using Kind = PipelineScheduleKind;

std::vector<int> ideal_peaks(const PipelineSpec& spec) {
  std::vector<int> peaks;
  for (int stage = 0; stage < spec.num_stages; ++stage)
    peaks.push_back(ideal_peak_in_flight(spec, stage));
  return peaks;
}

TEST(IdealPeakInFlight, FollowsItsFormulas) {
  EXPECT_THAT(ideal_peaks({Kind::kGpipe, 3, 1, 7}), ElementsAre(7, 7, 7));
  EXPECT_THAT(ideal_peaks({Kind::kOneForwardOneBackward, 3, 1, 7}), ElementsAre(3, 2, 1));
  EXPECT_THAT(ideal_peaks({Kind::kOneForwardOneBackward, 3, 1, 2}), ElementsAre(2, 2, 1));
  EXPECT_THAT(ideal_peaks({Kind::kZeroBubble, 3, 1, 7}), ElementsAre(3, 3, 3));
  // 2 (3 - s) + (2 - 1) 4 + 1; of 4 microbatches in 2 chunks no more than 8.
  EXPECT_THAT(ideal_peaks({Kind::kInterleaved, 4, 2, 16}), ElementsAre(11, 9, 7, 5));
  EXPECT_THAT(ideal_peaks({Kind::kInterleaved, 4, 2, 16, true}), ElementsAre(12, 10, 8, 6));
  EXPECT_THAT(ideal_peaks({Kind::kInterleaved, 4, 2, 4}), ElementsAre(8, 8, 7, 5));
  EXPECT_THAT(ideal_peaks({Kind::kDualPipe, 4, 2, 20}), ElementsAre(5, 5, 5, 5));
}

TEST(PeakInFlight, EqualsItsClosedForm) {
  for (const PipelineSpec& spec : testing::pipeline_examples()) {
    const PipelineSchedule schedule = pipeline_schedule(spec);
    for (int stage = 0; stage < spec.num_stages; ++stage)
      EXPECT_EQ(peak_in_flight(schedule, stage).total, ideal_peak_in_flight(spec, stage))
          << testing::name_of(spec) << ", stage " << stage;
  }
}

TEST(PeakInFlight, SaysWhoseActivationsTheyAre) {
  // F0a F1a F0b B0b F1b B1b B0a B1a: three alive at F0b and again at F1b.
  const auto schedule = pipeline_schedule({Kind::kInterleaved, 2, 2, 2});
  const PeakInFlight peak = peak_in_flight(schedule, 1);
  EXPECT_EQ(peak.total, 3);
  EXPECT_THAT(peak.of_chunk, ElementsAre(2, 1));
  EXPECT_THAT(peak.at_peak, ElementsAre(2, 1));
}

// F0a F1a F0b B0b F1b B1b F2a B0a F3a B1a ...: (2, 1) alive at F0b, (3, 0) at F2a. In counts the
// former is first; where a microbatch holds 2 in chunk a and 1 in b the latter is 6 against 5.
TEST(AliveAtPeak, IsOfWhatIsHeldNotOfCounts) {
  const auto schedule = pipeline_schedule({Kind::kInterleaved, 2, 2, 4});
  EXPECT_THAT(alive_at_peak(schedule, 1, std::vector{1.0, 1.0}), ElementsAre(2, 1));
  EXPECT_THAT(alive_at_peak(schedule, 1, std::vector{2.0, 1.0}), ElementsAre(3, 0));
}

TEST(PeakInFlight, OfAPairHoldsBothMicrobatches) {
  // F0a F2b F1a B2b F3b&B0a B3b I1a W1a: F0a, F2b, F1a; then F0a and F1a beside F3b.
  const PeakInFlight peak = peak_in_flight(pipeline_schedule({Kind::kDualPipe, 2, 2, 4}), 0);
  EXPECT_EQ(peak.total, 3);
  EXPECT_THAT(peak.of_chunk, ElementsAre(2, 1));
}

TEST(PeakInFlight, LastsUntilTheWeightGradient) {
  // F0a I0a F1a I1a F2a I2a W0a ...: I frees nothing, so three are alive at F2a.
  const auto schedule = pipeline_schedule({Kind::kZeroBubble, 3, 1, 4});
  EXPECT_EQ(peak_in_flight(schedule, 2).total, 3);
}

TEST(IdealPeakInFlightDeathTest, RefusesAStageThatIsNotThere) {
  EXPECT_DEATH((void)ideal_peak_in_flight({Kind::kGpipe, 2, 1, 2}, 2), "stage 2 of 2");
}

}  // namespace
}  // namespace switchyard
