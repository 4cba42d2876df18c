#pragma once

#include <gtest/gtest.h>

#include "tests/kernels/rank_run.hpp"

namespace switchyard::kernels {

/// A small layer with everything that may depend on the number of ranks: second choices and dropout
/// drawn at random, groups with drops, a GLU.
inline MoeLayerSpec ranks_layer(Precision precision) {
  return {.d_model = 20,
          .d_ff = 24,
          .num_experts = 8,
          .activation = Activation::kSwiglu,
          .precision = precision,
          .router = {.top_k = 2, .second_choice = SecondChoice::kRandom, .jitter = 0.1},
          .capacity = {.capacity_factor = 1.0, .group_tokens = 12},
          .expert_dropout = 0.1};
}

/// Float: sums over tensor ranks in another order. Bfloat16: the bounds of layer and weights.
struct RankTolerances {
  double values = 1e-5;
  double gradients = 1e-5;
};
template <class T>
constexpr RankTolerances rank_tolerances() {
  if constexpr (std::is_same_v<T, float>) return {};
  return {.values = 1e-2, .gradients = 6e-3};
}

/// Runs on all ranks of the group and compares this rank's part with a run on one.
template <class T>
void expect_same_as_one_rank(const RankCase& of, Communicator& all) {
  const std::string what = "data " + std::to_string(of.partition.data) + ", tensor " +
                           std::to_string(of.partition.tensor) + ", expert " +
                           std::to_string(of.partition.expert) + ", chunks " +
                           std::to_string(of.num_chunks) + ", rank " + std::to_string(all.rank());
  SCOPED_TRACE(what);
  const auto whole =
      run_layer<T>(of.spec, of.batch_tokens, 1, {.seed = 3, .batch_tokens = of.batch_tokens});
  const auto run = run_on_ranks<T>(of, all);
  const RankPlace place = place_of(of.partition, all.rank());
  const auto data = static_cast<std::size_t>(place.data);
  const auto num_data = static_cast<std::size_t>(of.partition.data);
  const Routing& routing = run.state.routing;
  const Routing& one = whole.state.routing;
  EXPECT_TRUE(have_same_bits(routing.logits, part_of(one.logits, data, num_data)));
  EXPECT_TRUE(have_same_bits(routing.experts, part_of(one.experts, data, num_data)));
  EXPECT_TRUE(have_same_bits(routing.gates, part_of(one.gates, data, num_data)));
  const auto outputs = part_of(whole.outputs, data, num_data);
  const auto d_inputs = part_of(whole.d_inputs, data, num_data);
  const auto [values, gradients] = rank_tolerances<T>();
  if (of.partition.tensor == 1) {
    EXPECT_TRUE(have_same_bits(run.outputs, outputs));
    EXPECT_TRUE(have_same_bits(run.d_inputs, d_inputs));
  }
  EXPECT_LT(frobenius_error(run.outputs, in_double(outputs)), values);
  EXPECT_LT(frobenius_error(run.d_inputs, in_double(d_inputs)), values);
  const auto w1 = w1_of_rank(of, place, whole.gradients.w1);
  const auto w2 = w2_of_rank(of, place, whole.gradients.w2);
  if (of.partition.tensor == 1 && of.partition.expert == of.partition.data) {
    // An expert's rows lie as on one rank: by token.
    EXPECT_TRUE(have_same_bits(run.gradients.w1, w1));
    EXPECT_TRUE(have_same_bits(run.gradients.w2, w2));
  }
  EXPECT_LT(frobenius_error(run.gradients.w1, in_double(w1)), gradients);
  EXPECT_LT(frobenius_error(run.gradients.w2, in_double(w2)), gradients);
  EXPECT_LT(frobenius_error(run.gradients.router, in_double(whole.gradients.router)), gradients);
}

/// All partitions of figure 9 on the ranks of the group, and experts in two replicas.
inline void expect_all_partitions_same_as_one_rank(Communicator& all) {
  auto partitions = figure9_partitions(all.num_ranks());
  if (all.num_ranks() == 4) partitions.push_back({"replicas", {4, 1, 2}});
  for (const NamedPartition& named : partitions)
    for (const int num_chunks : {1, 3}) {
      expect_same_as_one_rank<float>(
          {ranks_layer(Precision::kFloat32), named.partition, num_chunks}, all);
      expect_same_as_one_rank<BFloat16>(
          {ranks_layer(Precision::kSelective), named.partition, num_chunks}, all);
    }
}

/// A NaN of the last rank becomes the same error on every rank, and the next call works.
inline void expect_a_fault_of_one_rank_on_all(Communicator& all) {
  const int last = all.num_ranks() - 1;
  const RankPartition partition{.data = all.num_ranks(), .expert = all.num_ranks()};
  const RankGroups groups = make_groups(partition, all);
  const RankLayer layer{ranks_layer(Precision::kFloat32), groups, CpuBackend{}, 2};
  const RankCase of{layer.spec, partition};
  const auto weights = rank_weights<float>(of, groups.place);
  auto inputs = uniform_numbers<float>(12 * 20, 5);
  Buffer<float> outputs(inputs.size());
  RankLayerState<float> state;
  PhaseTimes times;
  const auto expect = [&](Fault fault, const std::string& message) {
    try {
      rank_layer_forward<float>(layer, {}, weights, inputs, outputs, state, times);
      ADD_FAILURE() << "expected: " << message;
    } catch (const KernelError& error) {
      EXPECT_EQ(error.fault(), fault);
      EXPECT_EQ(error.what(), "rank " + std::to_string(last) + ": " + message);
    }
  };
  const float right = inputs[22];
  if (all.rank() == last) inputs[22] = std::numeric_limits<float>::quiet_NaN();
  expect(Fault::kNotFinite, "inputs: token 1, column 2 is nan");
  inputs[22] = right;
  if (all.rank() == last) outputs.resize(7);
  expect(Fault::kShape, "outputs: expected 12 * 20 numbers, got 7");
  outputs.resize(inputs.size());
  rank_layer_forward<float>(layer, {}, weights, inputs, outputs, state, times);
}

}  // namespace switchyard::kernels
