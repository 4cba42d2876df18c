#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/workload/pipeline/pipeline_schedule.hpp"
#include "tests/workload/pipeline/pipeline_examples.hpp"

namespace switchyard {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = PipelineScheduleKind;

TEST(PipelineProblems, OfWhatCanBeScheduledAreNone) {
  for (const PipelineSpec& spec : testing::pipeline_examples())
    EXPECT_THAT(pipeline_problems(spec), IsEmpty()) << testing::name_of(spec);
}

TEST(PipelineProblems, NameTheNearestMultiplesOfTheStages) {
  EXPECT_THAT(pipeline_problems({Kind::kInterleaved, 4, 2, 10}),
              ElementsAre("interleaved: microbatches a multiple of the 4 stages, given 10; "
                          "nearest: 8 or 12"));
  EXPECT_THAT(pipeline_problems({Kind::kInterleaved, 4, 2, 3}),
              ElementsAre("interleaved: microbatches a multiple of the 4 stages, given 3; "
                          "nearest: 4"));
}

TEST(PipelineProblems, AskDualPipeForEvenStagesAndTwoMicrobatchesEach) {
  EXPECT_THAT(pipeline_problems({Kind::kDualPipe, 5, 2, 20}),
              ElementsAre("dualpipe: an even number of stages, given 5; nearest: 4 or 6"));
  EXPECT_THAT(pipeline_problems({Kind::kDualPipe, 1, 2, 20}),
              ElementsAre("dualpipe: an even number of stages, given 1; nearest: 2"));
  EXPECT_THAT(pipeline_problems({Kind::kDualPipe, 8, 2, 12}),
              ElementsAre("dualpipe: an even number of microbatches, at least 16 (two a stage), "
                          "given 12; nearest: 16; "
                          "set batch.sequences or batch.microbatch_sequences"));
  EXPECT_THAT(pipeline_problems({Kind::kDualPipe, 4, 2, 11}),
              ElementsAre("dualpipe: an even number of microbatches, at least 8 (two a stage), "
                          "given 11; nearest: 10 or 12; "
                          "set batch.sequences or batch.microbatch_sequences"));
}

TEST(PipelineProblems, SayWhichSchedulesTakeChunks) {
  EXPECT_THAT(pipeline_problems({Kind::kInterleaved, 4, 1, 8}),
              ElementsAre("interleaved: at least 2 chunks a stage, given 1; with 1 it is 1f1b"));
  EXPECT_THAT(pipeline_problems({Kind::kZeroBubble, 4, 2, 8}),
              ElementsAre("zero-bubble: 1 chunk a stage, given 2; interleaved takes more"));
  EXPECT_THAT(pipeline_problems({Kind::kDualPipe, 4, 1, 8}),
              ElementsAre("dualpipe: 2 chunks a stage, given 1"));
}

TEST(PipelineProblems, SayWhichSchedulesCanOverlap) {
  EXPECT_THAT(pipeline_problems({Kind::kOneForwardOneBackward, 4, 1, 8, true}),
              ElementsAre("1f1b: no choice of overlapping passes; dualpipe always does, "
                          "interleaved can"));
}

TEST(PipelineProblems, ComeAllAtOnce) {
  EXPECT_THAT(pipeline_problems({Kind::kGpipe, 0, -1, 0}), SizeIs(3));
  EXPECT_THAT(pipeline_problems({Kind::kInterleaved, 4, 1, 9, false}), SizeIs(2));
}

TEST(PipelineProblems, RefuseWhatNoMemoryHolds) {
  constexpr int kMost = std::numeric_limits<int>::max();
  EXPECT_THAT(pipeline_problems({Kind::kGpipe, kMost, 1, kMost}), SizeIs(1));
  EXPECT_THAT(pipeline_problems({Kind::kInterleaved, kMost, kMost, kMost}), SizeIs(1));
}

TEST(PipelineScheduleDeathTest, RefusesWhatHasProblems) {
  EXPECT_DEATH((void)pipeline_schedule({Kind::kDualPipe, 3, 2, 12}), "nearest: 2 or 4");
}

}  // namespace
}  // namespace switchyard
