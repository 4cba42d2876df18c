#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sim/workload/moe_layer_shape.hpp"
#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;

TrainingStepSpec switch_base_step(double capacity_factor) {
  TrainingStepSpec spec = step_of(switch_base());
  spec.moe.capacity_factor = capacity_factor;
  return spec;
}

Operator operator_named(const StepGraph& graph, std::string_view name) {
  const auto found = operators(graph, [&](const Operator& o) { return o.name == name; });
  EXPECT_EQ(found.size(), 1u) << name;
  return found.empty() ? Operator{} : found[0];
}

Collective collective_named(const StepGraph& graph, std::string_view name) {
  for (const Collective& collective : collectives(graph.microbatch))
    if (collective.name == name) return collective;
  ADD_FAILURE() << "no collective " << name;
  return {};
}

Flop expert_flop(const TrainingStepSpec& spec) {
  return class_flop(build_training_step(spec), Phase::kForward, OperatorClass::kExperts);
}

TEST(MoeLayerShape, SplitsTheTokensOfAllRanks) {
  const TrainingStepSpec spec = switch_base_step(1.25);
  const MoeLayerShape encoder = moe_layer_shape(spec, 4 * 512);
  EXPECT_EQ(encoder.groups.num_groups, 64);  // 2 per rank
  EXPECT_EQ(encoder.groups.group_tokens, 1024);
  EXPECT_EQ(encoder.capacity, 10);           // 1.25 * 1024 / 128
  EXPECT_EQ(encoder.laid_out, 16);           // the next multiple of 8
  EXPECT_EQ(encoder.experts_per_rank, 4.0);  // 128 / 32
  EXPECT_DOUBLE_EQ(encoder.effective_capacity_factor, 1.25);

  const MoeLayerShape decoder = moe_layer_shape(spec, 4 * 114);
  EXPECT_EQ(decoder.groups.num_groups, 32);
  EXPECT_EQ(decoder.groups.group_tokens, 456);
  EXPECT_EQ(decoder.capacity, 4);  // 4.45
  EXPECT_EQ(decoder.laid_out, 8);
}

TEST(MoeLayerShape, ReportsTheFactorThatTheMinimumCapacityMakes) {
  TrainingStepSpec spec = switch_base_step(1.0);
  spec.model.moe.num_experts = 2048;
  // 4 slots * 2048 experts in groups of 1024 tokens.
  EXPECT_DOUBLE_EQ(moe_layer_shape(spec, 4 * 512).effective_capacity_factor, 8.0);
}

TEST(MoeBlock, ComputesSlotsNotTokens) {
  // A rank has 4 of the 128 experts, each with the slots of all groups: 64 of 8 in the encoder (cf
  // 1, capacity 8), 32 of 8 in the decoder (capacity 4, laid out as 8); 6 such layers in each.
  const double rows = 6 * 4 * (64 * 8 + 32 * 8);
  const Flop expected{rows * 2 * (2 * 768 * 3072)};
  EXPECT_EQ(expert_flop(switch_base_step(1.0)), expected);
  // With cf 2 capacities are 16 and 7: the encoder doubles, the decoder is still laid out as 8.
  EXPECT_EQ(expert_flop(switch_base_step(2.0)),
            Flop{6 * 4 * (64 * 16 + 32 * 8) * 2.0 * (2 * 768 * 3072)});
  // Capacity 10 is laid out as 16 too.
  EXPECT_EQ(expert_flop(switch_base_step(1.25)), expert_flop(switch_base_step(2.0)));
}

TEST(MoeBlock, WithoutLayoutPaddingComputesTheCapacity) {
  TrainingStepSpec spec = switch_base_step(1.25);
  spec.lowering.capacity_multiple = 1;
  // Capacities 10 and 4.
  EXPECT_EQ(expert_flop(spec), Flop{6 * 4 * (64 * 10 + 32 * 4) * 2.0 * (2 * 768 * 3072)});
}

TEST(MoeBlock, MatchesTheDenseLayersWorkAtFactorOne) {
  // cf 1 and no minimum and no layout padding: slots = tokens in the encoder. In the decoder 456
  // tokens give capacity 3 (3.56), so 384 of 456.
  TrainingStepSpec sparse = switch_base_step(1.0);
  sparse.lowering.capacity_multiple = 1;
  sparse.moe.minimum_capacity = 1;
  const double layer = 2.0 * 2 * 768 * 3072;
  EXPECT_EQ(expert_flop(sparse), Flop{6 * (2048 + 384) * layer});
  // The other half of the layers is dense.
  EXPECT_EQ(class_flop(build_training_step(sparse), Phase::kForward, OperatorClass::kFeedForward),
            Flop{6 * (2048 + 456) * layer});
}

TEST(MoeBlock, DoesTheSameExpertWorkForOneChoiceOrTwo) {
  TrainingStepSpec one = switch_base_step(1.0);
  TrainingStepSpec two = one;
  two.model.moe.top_k = 2;
  EXPECT_EQ(expert_flop(two), expert_flop(one));
  // With capacity times top_k: 16 instead of 8 slots, and 7 instead of 4.
  two.moe.capacity_times_top_k = true;
  EXPECT_EQ(expert_flop(two), expert_flop(switch_base_step(2.0)));
}

TEST(MoeBlock, BackpropagatesExpertsAtTwiceTheForwardWork) {
  const StepGraph graph = build_training_step(switch_base_step(1.0));
  EXPECT_EQ(class_flop(graph, Phase::kBackward, OperatorClass::kExperts),
            2.0 * class_flop(graph, Phase::kForward, OperatorClass::kExperts));
  EXPECT_EQ(class_flop(graph, Phase::kBackward, OperatorClass::kRouter),
            2.0 * 2.0 * 768 * 128 * Flop{6 * (2048 + 456)});  // positions have no gradient
}

TEST(MoeBlock, DispatchesByOneHotProducts) {
  const StepGraph graph = build_training_step(switch_base_step(1.0));
  // Each of 2 groups: 1024 slots (128 experts * 8) from 1024 tokens, 768 wide.
  const Flop einsum{2.0 * 2 * 1024 * 1024 * 768};
  for (const char* name :
       {"dispatch_einsum.forward", "combine_einsum.forward", "combine_einsum.gate_gradient",
        "combine_einsum.input_gradient", "dispatch_einsum.input_gradient"})
    EXPECT_EQ(matmul_flop(operator_named(graph, std::string{"encoder.1.moe."} + name).matmul),
              einsum)
        << name;
}

TEST(MoeBlock, DispatchWorkGrowsWithTheGroupAndNotWithTheExperts) {
  const auto dispatch = [](const TrainingStepSpec& spec) {
    return matmul_flop(
        operator_named(build_training_step(spec), "encoder.1.moe.dispatch_einsum.forward").matmul);
  };
  const TrainingStepSpec spec = switch_base_step(1.0);
  TrainingStepSpec fewer_experts = spec;
  fewer_experts.model.moe.num_experts = 64;  // capacity 16
  EXPECT_EQ(dispatch(fewer_experts), dispatch(spec));
  TrainingStepSpec larger_groups = spec;
  larger_groups.moe.group_tokens = 2048;  // one group per rank; capacity 16
  EXPECT_EQ(dispatch(larger_groups), 2.0 * dispatch(spec));
}

TEST(MoeBlock, ExchangesTheSlotsOfItsGroupsWithoutLayoutPadding) {
  const StepGraph graph = build_training_step(switch_base_step(1.25));
  // Encoder: 2 groups * 128 experts * 10 slots * 768 * 2 B; decoder: 1 group of 4 slots each.
  EXPECT_EQ(collective_named(graph, "encoder.1.moe.dispatch.forward").buffer,
            Bytes{2.0 * 128 * 10 * 768 * 2});
  EXPECT_EQ(collective_named(graph, "decoder.1.moe.dispatch.forward").buffer,
            Bytes{1.0 * 128 * 4 * 768 * 2});
}

TEST(MoeBlock, ExchangesTwiceAsMuchInFloat32) {
  TrainingStepSpec spec = switch_base_step(1.0);
  const Bytes narrow =
      collective_named(build_training_step(spec), "encoder.1.moe.dispatch.forward").buffer;
  spec.precision = Precision::kFloat32;
  EXPECT_EQ(collective_named(build_training_step(spec), "encoder.1.moe.dispatch.forward").buffer,
            2.0 * narrow);
}

TEST(MoeBlock, ExchangesFourTimesALayerInTheOrderOfTheProgram) {
  const StepGraph graph = build_training_step(switch_base_step(1.0));
  std::vector<std::string> names;
  for (const Collective& collective : collectives(graph.microbatch)) {
    EXPECT_EQ(collective.kind, CollectiveKind::kAllToAll);
    names.push_back(collective.name);
  }
  ASSERT_EQ(names.size(), 48u);  // 12 MoE layers * 4
  EXPECT_EQ(names[0], "encoder.1.moe.dispatch.forward");
  EXPECT_EQ(names[1], "encoder.1.moe.combine.forward");
  // Backward: last layer first, and within it what came back last first.
  EXPECT_EQ(names[24], "decoder.11.moe.combine.backward");
  EXPECT_EQ(names[25], "decoder.11.moe.dispatch.backward");
  EXPECT_EQ(names[47], "encoder.1.moe.dispatch.backward");
}

TEST(MoeBlock, RoutesInFloat32UnlessAllIsBfloat16) {
  const auto bytes = [](Precision precision) {
    TrainingStepSpec spec = switch_base_step(1.0);
    spec.precision = precision;
    const Operator router =
        operator_named(build_training_step(spec), "encoder.1.moe.router.forward");
    EXPECT_EQ(router.traffic[2].tensor.element_bytes, 4);  // gating is float32 in every case
    return router.traffic[0].tensor.element_bytes;
  };
  EXPECT_EQ(bytes(Precision::kFloat32), 4);
  EXPECT_EQ(bytes(Precision::kSelective), 4);
  EXPECT_EQ(bytes(Precision::kBfloat16), 2);
}

TEST(MoeBlock, RunsTheExpertsInTheActivationsType) {
  const auto bytes = [](Precision precision) {
    TrainingStepSpec spec = switch_base_step(1.0);
    spec.precision = precision;
    return operator_named(build_training_step(spec), "encoder.1.moe.experts.wi.forward")
        .traffic[0]
        .tensor.element_bytes;
  };
  EXPECT_EQ(bytes(Precision::kFloat32), 4);
  EXPECT_EQ(bytes(Precision::kSelective), 2);
}

TEST(MoeBlock, DoesNotCopyLayoutsWhenToldNotTo) {
  TrainingStepSpec spec = switch_base_step(1.0);
  spec.lowering.layout_copies = 0.0;
  const auto copies = operators(build_training_step(spec), [](const Operator& o) {
    return o.name.ends_with(".pack") || o.name.ends_with(".unpack");
  });
  EXPECT_TRUE(copies.empty());
}

}  // namespace
}  // namespace switchyard
