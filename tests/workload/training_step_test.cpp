#include "sim/workload/training_step.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "sim/workload/parameters.hpp"
#include "tests/workload/step_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;

StepGraph graph_of(const ModelSpec& model) { return build_training_step(step_of(model)); }

/// A decoder-only step on one rank, with gated feed-forward blocks and shared key heads.
TrainingStepSpec decoder_step() {
  TrainingStepSpec spec = step_of(decoder_only({3, 256, 512, 4, 2}));
  spec.lengths = {.input_tokens = 0, .target_tokens = 96};
  spec.sequences = 12;
  spec.microbatch_sequences = 3;
  spec.num_ranks = 1;
  return spec;
}

TEST(BuildTrainingStep, DoesTheModelsForwardProducts) {
  for (const T5Shape& shape : {kBase, kXxl}) {
    const TrainingStepSpec spec = step_of(t5(shape));
    const Flop expected = 4.0 * forward_flop(spec.model, spec.lengths).total();
    EXPECT_EQ(phase_flop(build_training_step(spec), Phase::kForward), expected);
  }
  const TrainingStepSpec spec = decoder_step();
  EXPECT_EQ(phase_flop(build_training_step(spec), Phase::kForward),
            3.0 * forward_flop(spec.model, spec.lengths).total());
}

TEST(BuildTrainingStep, DoesTwiceThatBackwardInADenseModel) {
  for (const TrainingStepSpec& spec : {step_of(t5_base()), decoder_step()}) {
    const StepGraph graph = build_training_step(spec);
    EXPECT_EQ(phase_flop(graph, Phase::kBackward), 2.0 * phase_flop(graph, Phase::kForward));
  }
}

TEST(BuildTrainingStep, SplitsTheForwardProductsByClass) {
  const TrainingStepSpec spec = step_of(t5_base());
  const ModelFlop flop = forward_flop(spec.model, spec.lengths);
  const StepGraph graph = build_training_step(spec);
  const auto forward = [&](OperatorClass c) { return class_flop(graph, Phase::kForward, c); };
  EXPECT_EQ(forward(OperatorClass::kAttention),
            4.0 * (flop.attention_projections + flop.attention_scores));
  EXPECT_EQ(forward(OperatorClass::kFeedForward), 4.0 * flop.feed_forward);
  EXPECT_EQ(forward(OperatorClass::kLogits), 4.0 * flop.logits);
}

TEST(BuildTrainingStep, LooksUpTheEmbeddingByAProductUnlessToldNotTo) {
  TrainingStepSpec spec = step_of(t5_base());
  const StepGraph one_hot = build_training_step(spec);
  // 2 * 32128 * 768 for each of 4 * (512 + 114) tokens; backward the table's gradient alone.
  const Flop product{2.0 * 32128 * 768 * 4 * 626};
  EXPECT_EQ(class_flop(one_hot, Phase::kForward, OperatorClass::kEmbedding), product);
  EXPECT_EQ(class_flop(one_hot, Phase::kBackward, OperatorClass::kEmbedding), product);

  spec.lowering.one_hot_embedding = false;
  const StepGraph gather = build_training_step(spec);
  EXPECT_EQ(class_flop(gather, Phase::kForward, OperatorClass::kEmbedding), Flop{0});
  EXPECT_EQ(class_flop(gather, Phase::kBackward, OperatorClass::kEmbedding), Flop{0});
}

TEST(BuildTrainingStep, RunsForwardBeforeBackwardAndTheUpdateLast) {
  const StepGraph graph = graph_of(switch_base());
  std::vector<Phase> phases;
  for (const StepNode& node : graph.microbatch)
    phases.push_back(std::visit([](const auto& n) { return n.phase; }, node));
  EXPECT_TRUE(std::is_sorted(phases.begin(), phases.end()));
  EXPECT_EQ(phases.front(), Phase::kForward);
  EXPECT_EQ(phases.back(), Phase::kBackward);
  for (const StepNode& node : graph.update)
    EXPECT_EQ(std::visit([](const auto& n) { return n.phase; }, node), Phase::kUpdate);
}

TEST(BuildTrainingStep, NamesEachNodeOnce) {
  for (const ModelSpec& model : {t5_base(), t5(kXxl, kEveryOther)}) {
    const StepGraph graph = graph_of(model);
    std::set<std::string> names;
    for (const auto* nodes : {&graph.microbatch, &graph.update})
      for (const StepNode& node : *nodes) {
        const std::string name = std::visit([](const auto& n) { return n.name; }, node);
        EXPECT_TRUE(names.insert(name).second) << name;
      }
  }
}

TEST(BuildTrainingStep, AccumulatesOverMicrobatches) {
  EXPECT_EQ(graph_of(t5_base()).num_microbatches, 8);  // 1024 sequences / 32 ranks / 4
}

TEST(BuildTrainingStep, ReducesTheGradientsOfWeightsThatAllRanksHold) {
  const ModelSpec model = switch_base();
  const std::vector<Collective> update = collectives(graph_of(model).update);
  ASSERT_EQ(update.size(), 1u);
  EXPECT_EQ(update[0].kind, CollectiveKind::kAllReduce);
  // All but the experts, in float32.
  EXPECT_EQ(update[0].buffer, Bytes{4.0 * count_parameters(model).dense()});
}

TEST(BuildTrainingStep, HasNoAllReduceOnOneRank) {
  EXPECT_TRUE(collectives(build_training_step(tiny_step()).update).empty());
}

TEST(BuildTrainingStep, UpdatesTheWeightsOfTheRank) {
  const TrainingStepSpec spec = step_of(switch_base());
  const StepGraph graph = build_training_step(spec);
  const auto& optimizer = std::get<Operator>(graph.update.back());
  ASSERT_EQ(optimizer.traffic.size(), 1u);
  EXPECT_EQ(optimizer.traffic[0].passes, 7.0);
  EXPECT_NEAR(num_elements(optimizer.traffic[0].tensor) / parameters_per_rank(spec), 1.0, 1e-12);
}

TEST(BuildTrainingStep, HasNoCollectivesInTheMicrobatchOfADenseModel) {
  EXPECT_TRUE(collectives(graph_of(t5_base()).microbatch).empty());
}

TEST(BuildTrainingStep, ReadsMasterWeightsAndWritesGradientsInFloat32) {
  for (const Operator& op :
       operators(graph_of(t5_base()), [](const Operator& o) { return o.name == "logits.forward"; }))
    EXPECT_EQ(op.traffic[1].tensor.element_bytes, 4);
  const auto gradient = operators(
      graph_of(t5_base()), [](const Operator& o) { return o.name == "logits.weight_gradient"; });
  ASSERT_EQ(gradient.size(), 1u);
  EXPECT_EQ(gradient[0].traffic[2].tensor.element_bytes, 4);
}

TEST(ParametersPerRank, SharesTheExpertsOnly) {
  const TrainingStepSpec spec = step_of(switch_base());
  const ParameterCounts counts = count_parameters(spec.model);
  EXPECT_EQ(parameters_per_rank(spec), counts.dense() + counts.experts / 32);
}

TEST(BuildTrainingStepDeathTest, RejectsSequencesThatRanksDoNotShareEvenly) {
  TrainingStepSpec spec = step_of(t5_base());
  spec.sequences = 1000;
  EXPECT_DEATH((void)build_training_step(spec), "1000 sequences on 32 ranks");
}

TEST(BuildTrainingStepDeathTest, RejectsAMicrobatchThatDoesNotDivide) {
  TrainingStepSpec spec = step_of(t5_base());
  spec.microbatch_sequences = 5;
  EXPECT_DEATH((void)build_training_step(spec), "microbatches of 5 in 32 sequences");
}

TEST(BuildTrainingStepDeathTest, RejectsExpertsThatRanksDoNotShareEvenly) {
  TrainingStepSpec spec = step_of(switch_base());
  spec.model.moe.num_experts = 100;
  EXPECT_DEATH((void)build_training_step(spec), "100 experts on 32 ranks");
}

}  // namespace
}  // namespace switchyard
