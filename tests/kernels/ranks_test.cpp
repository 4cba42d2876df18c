#include "kernels/ranks/rank_layer.hpp"

#include <gtest/gtest.h>

#include "kernels/comm/loopback.hpp"
#include "tests/kernels/rank_checks.hpp"

namespace switchyard::kernels {
namespace {

TEST(RankLayer, HasTheResultsOfOneRankInEveryPartition) {
  for (const int num_ranks : {1, 2, 4})
    run_loopback(num_ranks, expect_all_partitions_same_as_one_rank);
}

TEST(RankLayer, TakesRanksWithoutTokensAndExpertsWithoutRows) {
  MoeLayerSpec spec = ranks_layer(Precision::kFloat32);
  spec.capacity.capacity_factor.reset();
  spec.capacity.group_tokens = 1;
  run_loopback(4, [&](Communicator& all) {
    for (const std::int64_t batch_tokens : {0, 4})
      expect_same_as_one_rank<float>({spec, {4, 1, 4}, 2, batch_tokens}, all);
  });
}

TEST(RankLayer, ReportsAFaultOfOneRankOnAll) {
  for (const int num_ranks : {1, 2, 4}) run_loopback(num_ranks, expect_a_fault_of_one_rank_on_all);
}

TEST(RankLayer, SendsEachRowOnceEachWay) {
  // Dropless top-1 of 2 ranks: a row of 20 floats goes there and back, forward and backward, if its
  // expert is on the other rank. Router and replicas add up on 1 rank each but for the router.
  MoeLayerSpec spec = ranks_layer(Precision::kFloat32);
  spec.router = {};
  spec.capacity = {};
  spec.expert_dropout = 0.0;
  run_loopback(2, [&](Communicator& all) {
    const auto run = run_on_ranks<float>({spec, {2, 1, 2}}, all);
    const auto& offsets = run.state.plan.offsets;
    const std::int64_t sent = all.rank() == 0 ? offsets[8] - offsets[4] : offsets[4];
    const ExpertChunk& chunk = run.state.chunks.front();
    const std::int64_t received = chunk.receive_counts[all.rank() == 0 ? 1 : 0];
    EXPECT_EQ(run.times.all_to_all_bytes, 2 * (sent + received) * 20 * 4);
    // Half of 8 * 20 floats of the router, twice: to add it up, and its sum.
    EXPECT_EQ(run.times.gradient_all_reduce_bytes, 8 * 20 * 4);
    EXPECT_EQ(run.times.tensor_all_reduce_bytes, 0);
  });
}

TEST(RankPartition, RefusesWhatDoesNotDivide) {
  const MoeLayerSpec spec = ranks_layer(Precision::kFloat32);
  const auto expect = [&](const RankPartition& partition, const std::string& message) {
    try {
      validate(partition, spec, 4);
      ADD_FAILURE() << "expected: " << message;
    } catch (const KernelError& error) {
      EXPECT_EQ(error.fault(), Fault::kSpec);
      EXPECT_EQ(error.what(), message);
    }
  };
  expect(
      {4, 2, 1},
      "partition: data is 4, expected data * tensor to be the number of ranks, 4, with tensor 2");
  expect({4, 1, 3}, "partition: expert is 3, expected a divisor of data, 4");
  MoeLayerSpec odd = spec;
  odd.d_ff = 25;
  EXPECT_THROW(validate(RankPartition{2, 2, 1}, odd, 4), KernelError);
}

}  // namespace
}  // namespace switchyard::kernels
