#include <numeric>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sim/cli/compare_training.hpp"
#include "sim/cli/drawn_choices.hpp"
#include "sim/core/error.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

using testing::HasSubstr;

class ExecuteTraining : public ProgramTest {
 protected:
  [[nodiscard]] std::string train_file(const kernels::TrainSpec& spec) const {
    std::ofstream{folder() / "train.txt"} << kernels::write_train_spec(spec);
    return (folder() / "train.txt").string();
  }
};

/// Two data ranks, groups of half a rank's tokens, two choices.
kernels::TrainSpec small_training() {
  kernels::TrainSpec spec;
  spec.layer.router.top_k = 2;
  spec.layer.capacity.group_tokens = 64;
  spec.layers = 2;
  spec.tokens_per_rank = 128;
  spec.partition.data = 2;
  spec.steps = 40;
  spec.trace_every = 2;
  spec.transport = kernels::Transport::kLoopback;
  return spec;
}

TEST_F(ExecuteTraining, IsReplayedExactly) {
  const std::string file = train_file(small_training());
  const std::string trace_file = (folder() / "trace.npy").string();
  const ProgramRun run = switchyard({"execute", "--train", file, "--format", "json", "--samples",
                                     "5", "--trace", trace_file, "--quiet"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = nlohmann::json::parse(run.out).at("routing");
  // Every second of 40 steps in two layers.
  EXPECT_EQ(json.at("second_half").at("layers_compared"), 40);
  EXPECT_EQ(json.at("second_half").at("layers_different"), 0);
  for (const std::size_t layer : {0U, 1U, 2U}) {  // the last is the mean
    const auto measured = json.at("second_half").at("measured").at(layer);
    const auto replayed = json.at("second_half").at("replayed").at(layer);
    EXPECT_EQ(measured.at("load_max_over_mean"), replayed.at("load_max_over_mean"));
    EXPECT_EQ(measured.at("drops").at(0), replayed.at("drops").at(0));
  }
  EXPECT_EQ(json.at("second_half").at("steps").at("first_step"), 20);
  EXPECT_EQ(json.at("fourth_quarter").at("steps").at("first_step"), 30);
  EXPECT_EQ(json.at("fourth_quarter").at("steps").at("last_step"), 38);
  // Fewer slots drop more: the training has factor 1.25, the others are 1, 1.5 and 2.
  const auto drops = json.at("fourth_quarter").at("measured").back().at("drops");
  const auto dropped = [&](int limit) {
    return drops.at(static_cast<std::size_t>(limit)).at("dropped_fraction").get<double>();
  };
  EXPECT_GT(dropped(1), dropped(0));
  EXPECT_GT(dropped(0), dropped(2));
  EXPECT_GT(dropped(2), dropped(3));
  EXPECT_EQ(json.at("fourth_quarter").at("predicted").size(), 3U);
  const RoutingTrace trace = read_routing_trace(trace_file, 8);
  EXPECT_EQ(trace.num_tokens, 20 * 2 * 128);
  EXPECT_EQ(trace.num_layers, 2);
  EXPECT_EQ(trace.num_choices, 2);
}

TEST_F(ExecuteTraining, RefusesWhatCannotBeCompared) {
  kernels::TrainSpec spec = small_training();
  spec.trace_every = 0;
  spec.layer.capacity.group_tokens = 100;
  const std::string file = train_file(spec);
  const ProgramRun run = switchyard({"execute", "--train", file});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, file + ": trace_every: expected at least 1, got 0: there would be no trace\n" +
                         file +
                         ": group_tokens: expected a divisor of tokens_per_rank, 128, got 100: "
                         "groups of the simulator are equal\n");
  spec = small_training();
  spec.trace_every = 10;  // steps 20 and 30: one in each quarter
  EXPECT_THROW(check_comparable(spec, "train.txt"), ConfigError);
}

TEST(DrawnChoices, AreThoseThatADrawCounts) {
  const RoutingShape shape{.num_ranks = 2,
                           .groups_per_rank = 3,
                           .group_tokens = 16,
                           .num_experts = 8,
                           .capacity = kUnlimitedSlots,
                           .num_layers = 2};
  for (const RouterSpec& router :
       std::vector<RouterSpec>{FixedRouter{}, FixedRouter{ZipfPopularity{1.0}}, LearnedRouter{},
                               TemporalRouter{.layers = {LayerMemory{.first_tilt = 1.0}}},
                               LayerCorrelatedRouter{.popularity = LognormalPopularity{0.5}}}) {
    const RoutingSpec spec{.router = router, .gate = {.top_k = 2}, .slots = {}};
    const RoutingStream stream{.seed = 5};
    const auto draws = draw_routing(spec, shape, stream);
    const kernels::RoutingTrace trace = drawn_choices(spec, shape, stream);
    ASSERT_EQ(kernels::num_tokens(trace), 2 * 3 * 16);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      TokenCounts counts = TokenCounts::Zero(2, 8);
      for (std::size_t token = 0; token < 96; ++token)
        for (std::size_t j = 0; j < 2; ++j)
          ++counts(token / 48, trace.experts[(token * 2 + layer) * 2 + j]);
      EXPECT_TRUE((counts == draws[layer].routed).all());
    }
  }
}

class ExecuteRouting : public ProgramTest, public testing::WithParamInterface<std::string> {};

TEST_P(ExecuteRouting, DropsWhatTheDrawDrops) {
  const ProgramRun run = switchyard(
      {"execute", "experiments/execute.yaml", "--case", "expert+data", "--set", "model.d_ff=64",
       "--set", "routing={" + GetParam() + ", capacity_factor: 1.25, group_tokens: 128}",
       "--forward", "--steps", "1", "--warmup", "0", "--format", "json", "--quiet"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto of = nlohmann::json::parse(run.out).at("cases").at(0);
  EXPECT_GT(of.at("dropped"), 0);
  EXPECT_NEAR(of.at("predicted_dropped_fraction"),
              of.at("dropped").get<double>() / of.at("choices").get<double>(), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ExecuteRouting,
                         testing::Values("kind: uniform", "kind: zipf, exponent: 0.7",
                                         "kind: lognormal, sigma: 0.5",
                                         "kind: trace, file: experiments/traces/example_8x2.npy"));

TEST_F(ExecuteTraining, NamesWhatTheKernelsCannotRun) {
  const ProgramRun run =
      switchyard({"execute", "experiments/execute.yaml", "--case", "expert+data", "--set",
                  "routing={kind: uniform, capacity_factor: 1.25, priority: gate, "
                  "capacity_scope: global}"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("priority gate"));
  EXPECT_THAT(run.err, HasSubstr("capacity_scope global"));
}

}  // namespace
}  // namespace switchyard
