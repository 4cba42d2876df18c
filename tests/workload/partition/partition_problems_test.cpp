#include "sim/workload/partition/partition_problems.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/workload/partition/presets.hpp"
#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto problem(const char* key, const char* text) {
  return AllOf(Field(&PartitionProblem::key, key), Field(&PartitionProblem::text, HasSubstr(text)));
}

/// Switch-Base on 32 ranks: 12 heads, d_ff 2048, 128 experts, 24 layers, 1024 sequences.
TrainingStepSpec with(const Partition& partition) {
  TrainingStepSpec spec = step_of(switch_base());
  spec.partition = partition;
  return spec;
}

TEST(NearestDivisors, AreTheNextBelowAndAbove) {
  EXPECT_EQ(nearest_divisors(12, 5), "4 or 6");
  EXPECT_EQ(nearest_divisors(12, 6), "6");
  EXPECT_EQ(nearest_divisors(12, 20), "12");
  EXPECT_EQ(nearest_divisors(7, 3), "1 or 7");
}

TEST(PartitionProblems, AcceptTheFivePictures) {
  EXPECT_THAT(partition_problems(with(data_partition(32)), 32), IsEmpty());
  EXPECT_THAT(partition_problems(with(model_partition(4)), 4), IsEmpty());
  EXPECT_THAT(partition_problems(with(model_data_partition(32, 4)), 32), IsEmpty());
  EXPECT_THAT(partition_problems(with(expert_data_partition(32)), 32), IsEmpty());
  EXPECT_THAT(partition_problems(with(expert_model_data_partition(32, 4)), 32), IsEmpty());
}

TEST(PartitionProblems, SayWhichDataWouldFillTheSystem) {
  EXPECT_THAT(partition_problems(with({.data = 4, .tensor = 4}), 32),
              ElementsAre(problem("partition.data", "data: 8 would fit")));
  EXPECT_THAT(partition_problems(with({.data = 8, .tensor = 3}), 32),
              ::testing::Contains(problem("partition.data", "as 2 or 4 does")));
}

TEST(PartitionProblems, NameHeadsThatDoNotDivide) {
  EXPECT_THAT(partition_problems(with({.data = 4, .tensor = 8}), 32),
              ::testing::Contains(problem("partition.tensor", "heads (12), such as 6 or 12")));
}

TEST(PartitionProblems, SayWhatIsAllowedWithFewerExpertsThanRanks) {
  TrainingStepSpec spec = with(expert_data_partition(32));
  spec.model.moe.num_experts = 16;
  EXPECT_THAT(partition_problems(spec, 32),
              ElementsAre(problem("partition.expert",
                                  "16 experts cannot be spread over 32 ranks: "
                                  "at most 16; further ranks hold copies")));
  spec.model.moe.num_experts = 48;
  EXPECT_THAT(partition_problems(spec, 32),
              ElementsAre(problem("partition.expert", "experts evenly; 16 can")));
}

TEST(PartitionProblems, KnowTheMeshOfExperts) {
  EXPECT_THAT(partition_problems(with({.data = 8, .tensor = 4, .expert = 16}), 32),
              ElementsAre(problem("partition.expert", "must divide the 32 ranks of a stage")));
}

TEST(PartitionProblems, KnowPipelinesDeeperThanTheModel) {
  EXPECT_THAT(
      partition_problems(with({.data = 1, .pipeline = 32, .expert = 1}), 32),
      ElementsAre(problem("partition.pipeline", "32 stages are more than the model's 24 layers")));
  // 24 layers in 8 stages are 3 a stage; in stages of 4 chunks, 6 stages.
  Partition chunks{.data = 4, .pipeline = 8, .expert = 1};
  chunks.virtual_stages = 4;
  EXPECT_THAT(partition_problems(with(chunks), 32),
              ElementsAre(problem("partition.virtual_stages",
                                  "at most 3 chunks a stage, or at most 6 stages")));
}

// The product of four axes is beyond what an int holds; what follows from a wrong axis is not said.
TEST(PartitionProblems, NameHugeAxesAlone) {
  EXPECT_THAT(partition_problems(
                  with({.data = 65'536, .tensor = 1, .sequence = 1, .pipeline = 65'536}), 32),
              Contains(problem("partition.data", "but the system has 32 ranks")));
}

TEST(PartitionProblems, AskForASplitStreamWhereTensorRanksDispatch) {
  TrainingStepSpec spec = with({.data = 8, .tensor = 4, .expert = 8});
  spec.lowering.dispatch = DispatchKind::kPermutation;
  EXPECT_THAT(partition_problems(spec, 32),
              ElementsAre(problem("partition.sequence_parallel", "set sequence_parallel: true")));
}

TEST(PartitionProblems, KnowBatchesThatDoNotDivide) {
  TrainingStepSpec spec = with(expert_data_partition(32));
  spec.sequences = 1000;
  EXPECT_THAT(partition_problems(spec, 32),
              ElementsAre(problem("batch.sequences", "such as 992 or 1024, got 1000")));
  spec.sequences = 1024;
  spec.microbatch_sequences = 5;
  EXPECT_THAT(partition_problems(spec, 32),
              ElementsAre(problem("batch.microbatch_sequences", "such as 4 or 8, got 5")));
}

}  // namespace
}  // namespace switchyard
