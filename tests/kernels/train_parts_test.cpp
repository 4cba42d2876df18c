#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/run/key_table.hpp"
#include "kernels/run/routing_trace.hpp"
#include "kernels/train/cluster_tokens.hpp"
#include "kernels/train/master_weights.hpp"
#include "kernels/train/readout.hpp"
#include "sim/workload/routing/routing_trace.hpp"

namespace switchyard::kernels {
namespace {

TEST(TrainSpec, IsReadBackAsItWasWritten) {
  TrainSpec spec;
  spec.tokens.num_rules = 3;
  spec.optimizer = Optimizer::kSgd;
  spec.learning_rate = 0.1;
  const std::string text = write_train_spec(spec);
  EXPECT_THAT(text, testing::HasSubstr("learning_rate = 0.1\n"));
  EXPECT_EQ(write_train_spec(read_train_spec(text, "train.txt")), text);
}

TEST(ReadoutLoss, OfEqualLogitsIsTheLogarithmOfTheClasses) {
  // Weights 0: probabilities 1/2, loss ln 2 for each of 2 tokens. d_logit = (1/2 - [right]) / batch
  // of 4 = -1/8 for the right class, +1/8 for the other; d_weights = sum of d_logit * token.
  const std::vector<float> hidden{1, 2, 3, 4};
  std::vector<float> weights(4, 0.0F);
  std::vector<float> d_hidden(4, 9.0F);
  std::vector<float> d_weights(4, 9.0F);
  const std::vector<int> classes{0, 1};
  const auto loss = readout_loss(hidden, weights, classes, 4, d_hidden, d_weights);
  EXPECT_NEAR(loss.cross_entropy, 2.0 * std::log(2.0), 1e-6);
  EXPECT_EQ(loss.num_right, 1);  // the first class is said of both
  // Class 0: -1/8 (1, 2) + 1/8 (3, 4); class 1 the opposite.
  EXPECT_THAT(d_weights, testing::ElementsAre(0.25F, 0.25F, -0.25F, -0.25F));
  EXPECT_THAT(d_hidden, testing::ElementsAre(0.0F, 0.0F, 0.0F, 0.0F));
  // With weights (1, 0), (0, 1) d_hidden is d_logit: token (0, 0) has probabilities 1/2 again.
  weights = {1, 0, 0, 1};
  const std::vector<float> origin(2, 0.0F);
  const std::vector<int> second{1};
  d_hidden.resize(2);
  (void)readout_loss(origin, weights, second, 1, d_hidden, d_weights);
  EXPECT_THAT(d_hidden, testing::ElementsAre(0.5F, -0.5F));
}

TEST(MasterWeights, FirstStepsAreThoseOfTheFormula) {
  // SGD: 1 - 0.1 * 2. Adam's first step is rate * g / |g|, whatever the size of g.
  MasterWeights sgd{{1.0F}};
  const std::vector<float> gradient{2.0F};
  sgd.update(Optimizer::kSgd, 0.1, gradient);
  EXPECT_FLOAT_EQ(sgd.numbers()[0], 0.8F);
  MasterWeights adam{{1.0F, 1.0F}};
  const std::vector<float> gradients{2e-3F, -5.0F};
  adam.update(Optimizer::kAdam, 0.1, gradients);
  EXPECT_NEAR(adam.numbers()[0], 0.9, 1e-5);
  EXPECT_NEAR(adam.numbers()[1], 1.1, 1e-5);
  // Second step, gradient 0: mean 0.9 * 0.1 g / (1 - 0.81) = 0.4737 g, square 0.999 * 0.001 g^2 /
  // (1 - 0.999^2) = 0.49975 g^2, so 0.1 * 0.4737 / 0.70693 = 0.0670 more.
  adam.update(Optimizer::kAdam, 0.1, std::vector<float>{0.0F, 0.0F});
  EXPECT_NEAR(adam.numbers()[1], 1.167, 1e-3);
}

TEST(ClusterTokens, HaveTheSharesOfTheirClusters) {
  const ClusterSpec spec{.num_clusters = 2, .popularity_exponent = 1.0, .spread = 0.5};
  const ClusterTokens tokens{spec, 16, 1};
  const auto drawn = tokens.draw(0, 0, 3000);
  // Signs tell the clusters apart, numbers lie within 0.5 of +-1. Shares 2/3 and 1/3 of 3000, each
  // within 4 deviations of sqrt(3000 * 2/9) = 26.
  int first = 0;
  for (std::size_t t = 0; t < 3000; ++t) {
    bool is_first = true;
    for (std::size_t i = 0; i < 16; ++i) {
      const float x = drawn.numbers[t * 16 + i];
      EXPECT_GE(std::fabs(x), 0.5F);
      EXPECT_LE(std::fabs(x), 1.5F);
      is_first = is_first && (x > 0.0F) == (drawn.numbers[i] > 0.0F);
    }
    first += is_first ? 1 : 0;
  }
  EXPECT_NEAR(std::max(first, 3000 - first), 2000, 104);
  // Ranks have the tokens that one rank has.
  const auto part = tokens.draw(0, 1000, 10);
  EXPECT_TRUE(std::equal(part.numbers.begin(), part.numbers.end(),
                         drawn.numbers.begin() + std::ptrdiff_t{1000} * 16));
  EXPECT_NE(tokens.draw(1, 1000, 10).numbers, part.numbers);
}

TEST(RoutingTrace, IsReadByTheSimulator) {
  // Two steps of (layers 2, tokens 2, choices 1); a file has (tokens, layers, choices).
  RoutingTrace trace{.num_layers = 2, .top_k = 1, .experts = {}};
  add_step(std::vector<std::int16_t>{0, 1, 2, 300}, trace);
  add_step(std::vector<std::int16_t>{-1, 4, 5, 6}, trace);
  EXPECT_THAT(trace.experts, testing::ElementsAre(0, 2, 1, 300, -1, 5, 4, 6));
  const std::string content = npy_file(trace);
  EXPECT_EQ((content.size() - 8 * 2) % 64, 0U);
  const auto read = switchyard::parse_routing_trace(content, "trace.npy", 301);
  EXPECT_EQ(read.num_tokens, 4);
  EXPECT_EQ(read.num_layers, 2);
  EXPECT_EQ(read.num_choices, 1);
  EXPECT_THAT(read.experts, testing::ElementsAre(0, 2, 1, 300, -1, 5, 4, 6));
}

TEST(RoutingTrace, IsReadBack) {
  const RoutingTrace trace{.num_layers = 1, .top_k = 2, .experts = {0, -1, 300, 7}};
  const RoutingTrace read = parse_npy(npy_file(trace), "trace.npy");
  EXPECT_EQ(read.num_layers, 1);
  EXPECT_EQ(read.top_k, 2);
  EXPECT_EQ(read.experts, trace.experts);
}

TEST(RoutingTrace, IsRefusedWhereItIsAnotherFile) {
  const std::string file = npy_file({.num_layers = 1, .top_k = 2, .experts = {0, -1, 300, 7}});
  const auto refused = [](const std::string& content) -> std::string {
    try {
      (void)parse_npy(content, "a.npy");
    } catch (const KeyFileError& error) {
      return error.what();
    }
    return "";
  };
  const std::string expected =
      "a.npy: expected a NumPy file of int16 numbers, (tokens, layers, choices), as "
      "switchyard-kernels train --trace writes";
  const auto with = [&](const std::string& text, const std::string& other) {
    std::string changed = file;
    return changed.replace(changed.find(text), text.size(), other);
  };
  EXPECT_EQ(refused(""), expected);
  EXPECT_EQ(refused("key = value\n"), expected);
  EXPECT_EQ(refused(file.substr(0, 9)), expected);
  EXPECT_EQ(refused(with("<i2", "<i4")), expected);
  EXPECT_EQ(refused(with("(2, 1, 2)", "(2, 2)   ")), expected);
  EXPECT_EQ(refused(with("(2, 1, 2)", "(0, 1, 2)")), expected);
  // Two tokens of two choices are 8 bytes.
  EXPECT_EQ(refused(file.substr(0, file.size() - 1)),
            "a.npy: expected 8 bytes after the header, got 7");
  EXPECT_EQ(refused(file + "x"), "a.npy: expected 8 bytes after the header, got 9");
}

}  // namespace
}  // namespace switchyard::kernels
