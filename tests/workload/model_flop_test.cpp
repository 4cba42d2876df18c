#include "sim/workload/model_flop.hpp"

#include <string>

#include <gtest/gtest.h>

#include "sim/workload/parameters.hpp"
#include "tests/workload/model_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;

constexpr SequenceLengths kC4{.input_tokens = 512, .target_tokens = 114};

TEST(ForwardFlop, CountsATinyModelByHand) {
  const ModelFlop flop = forward_flop(tiny_model(), {.input_tokens = 0, .target_tokens = 4});
  EXPECT_EQ(flop.attention_projections, Flop{2048});  // 2 * 256 weights * 4 tokens
  EXPECT_EQ(flop.attention_scores, Flop{512});        // 4 * (4 queries * 4 keys) * 2 heads * 4
  EXPECT_EQ(flop.feed_forward, Flop{2048});           // 2 * 256 weights * 4 tokens
  EXPECT_EQ(flop.logits, Flop{2048});                 // 2 * 8 * 32 * 4 tokens
  EXPECT_EQ(flop.router, Flop{0});
  EXPECT_EQ(flop.total(), Flop{6656});
}

TEST(ForwardFlop, TakesTheEncodersTokensForKeysAndValuesOfTheDecoder) {
  ModelSpec model = tiny_model();
  model.architecture = Architecture::kEncoderDecoder;
  model.num_encoder_layers = 1;
  const ModelFlop flop = forward_flop(model, {.input_tokens = 5, .target_tokens = 3});
  // Weights 64 each for queries, keys, values, output. Encoder 4 * 64 on 5 tokens, decoder 4 * 64
  // on 3; between them 2 * 64 on 3 (queries, output) and 2 * 64 on 5 (keys, values): 2 * (1280 +
  // 768 + 384 + 640) = 6144.
  EXPECT_EQ(flop.attention_projections, Flop{6144});
  EXPECT_EQ(flop.attention_scores, Flop{4 * (25 + 9 + 15) * 8});
  EXPECT_EQ(flop.feed_forward, Flop{2 * 256 * (5 + 3)});
  EXPECT_EQ(flop.logits, Flop{2 * 256 * 3});
}

TEST(ForwardFlop, CountsTopKExpertsPerToken) {
  ModelSpec model = tiny_model();
  model.moe = {.num_experts = 8, .top_k = 2, .layer_period = 1};
  const ModelFlop flop = forward_flop(model, {.input_tokens = 0, .target_tokens = 4});
  EXPECT_EQ(flop.feed_forward, Flop{4096});  // twice the dense block's 2048
  EXPECT_EQ(flop.router, Flop{512});         // 2 * 8 * 8 experts * 4 tokens; not part of total()
  EXPECT_EQ(flop.total(), Flop{8704});       // 2048 + 512 + 4096 + 2048
}

TEST(ForwardFlop, CountsSharedExpertsForEveryToken) {
  ModelSpec model = tiny_model();
  model.moe = {.num_experts = 8, .top_k = 2, .layer_period = 1, .num_shared_experts = 1};
  EXPECT_EQ(forward_flop(model, {.input_tokens = 0, .target_tokens = 4}).feed_forward,
            Flop{3 * 2048});
  EXPECT_EQ(expert_training_flop(model, 1, 4), Flop{3 * 2 * 2048});  // the routed ones alone
}

TEST(ForwardFlop, OfATopOneModelIsThatOfTheDenseOne) {
  EXPECT_EQ(forward_flop(switch_base(), kC4).total(), forward_flop(t5_base(), kC4).total());
}

TEST(TrainingFlop, IsThreeForwardPasses) {
  EXPECT_EQ(training_flop(tiny_model(), {.input_tokens = 0, .target_tokens = 4}), Flop{19968});
}

TEST(PublishedForwardFlop, CountsATinyModelByHand) {
  // Weights 256 + 256 on 4 tokens, half of 512 scores, 2048 logits: 4096 + 256 + 2048.
  EXPECT_EQ(published_forward_flop(tiny_model(), {.input_tokens = 0, .target_tokens = 4}),
            Flop{6400});
}

TEST(PublishedForwardFlop, CountsBothAttentionsOfTheDecoderOnItsOwnTokens) {
  ModelSpec model = tiny_model();
  model.architecture = Architecture::kEncoderDecoder;
  model.num_encoder_layers = 1;
  // Encoder 2 * (256 + 256) * 5, decoder 2 * (2 * 256 + 256) * 3, half the scores of 4 * (25 + 9 +
  // 15) * 8, logits 2 * 256 * 3: 5120 + 4608 + 784 + 1536.
  EXPECT_EQ(published_forward_flop(model, {.input_tokens = 5, .target_tokens = 3}), Flop{12048});
}

TEST(PublishedForwardFlop, CountsTopKExpertsPerToken) {
  ModelSpec model = tiny_model();
  model.moe = {.num_experts = 8, .top_k = 2, .layer_period = 1};
  // The tiny model's 6400 and a second expert of 2 * 256 * 4.
  EXPECT_EQ(published_forward_flop(model, {.input_tokens = 0, .target_tokens = 4}), Flop{8448});
}

struct Table9Row {
  std::string name;
  ModelSpec model;
  double flop_per_sequence = 0;
};

std::ostream& operator<<(std::ostream& out, const Table9Row& row) { return out << row.name; }

class Table9 : public ::testing::TestWithParam<Table9Row> {};

// In 1e9, from weights a = 4 M * heads * 64 (attention), f (feed-forward), L layers:
//   encoder 1024 L (a + f) + decoder 228 L (2 a + f) + scores 2 L * heads * 64 * 333508
//   + logits 228 * 32128 M, where 333508 = 512^2 + 114^2 + 512 * 114
//           encoder   decoder   scores   logits     sum   printed
//   Base       87.0      25.8      6.1      5.6   124.6     124
//   Large     309.2      91.8     16.4      7.5   424.9     425
//   XXL      4741      1423       65.6     30.0  6260      6300
//   C         654.3     203.9     20.5     15.2   894.0     890
TEST_P(Table9, IsWithinTwoPercent) {
  const Table9Row& row = GetParam();
  EXPECT_NEAR(published_forward_flop(row.model, kC4).base() / row.flop_per_sequence, 1.0, 0.02);
}

// What forward_flop() counts and the table does not: keys and values on 398 more tokens, 2 * 398 *
// L * a / 2, and the other half of the scores. In 1e9: Base 11.3 + 6.1 of 124.6, that is 14 %;
// Large 40.1 + 16.4 of 424.9, 13 %; XXL 641 + 65.6 of 6260, 11 %; C 101.7 + 20.5 of 894, 14 %.
TEST_P(Table9, IsTenToFifteenPercentBelowTheFullCount) {
  const Table9Row& row = GetParam();
  const Flop full = forward_flop(row.model, kC4).total();
  const double excess = full / published_forward_flop(row.model, kC4) - 1.0;
  EXPECT_GT(excess, 0.10);
  EXPECT_LT(excess, 0.15);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, Table9,
    ::testing::Values(Table9Row{"T5-Base", t5(kBase), 124e9},
                      Table9Row{"T5-Large", t5(kLarge), 425e9},
                      Table9Row{"T5-XXL", t5(kXxl), 6.3e12},
                      Table9Row{"Switch-Base", t5(kBase, kEveryOther), 124e9},
                      Table9Row{"Switch-Large", t5(kLarge, kEveryOther), 425e9},
                      Table9Row{"Switch-XXL", t5(kXxl, kEveryOther), 6.3e12},
                      Table9Row{"Switch-C",
                                t5(kSwitchC, {.num_experts = 2048, .top_k = 1, .layer_period = 1}),
                                890e9}));

}  // namespace
}  // namespace switchyard
