#include "sim/workload/parameters.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/workload/model_examples.hpp"

namespace switchyard {
namespace {

using namespace testing;

TEST(CountParameters, CountsATinyModelByHand) {
  const ParameterCounts counts = count_parameters(tiny_model());
  EXPECT_EQ(counts.embedding, 256);     // 32 words * 8
  EXPECT_EQ(counts.attention, 256);     // 8 * 4 * (2 query and output + 2 key and value heads) * 2
  EXPECT_EQ(counts.feed_forward, 256);  // 2 * 8 * 16
  EXPECT_EQ(counts.norm, 24);           // before attention, before feed-forward, at the end
  EXPECT_EQ(counts.experts, 0);
  EXPECT_EQ(counts.router, 0);
  EXPECT_EQ(counts.total(), 792);
}

TEST(CountParameters, CountsTheAttentionToTheEncoder) {
  ModelSpec model = tiny_model();
  model.architecture = Architecture::kEncoderDecoder;
  model.num_encoder_layers = 1;
  const ParameterCounts counts = count_parameters(model);
  EXPECT_EQ(counts.attention, 768);     // 3 blocks of 256: encoder, decoder, decoder to encoder
  EXPECT_EQ(counts.feed_forward, 512);  // 2 blocks of 256
  EXPECT_EQ(counts.norm, 56);           // (3 attention + 2 feed-forward + 2 ends) * 8
}

TEST(CountParameters, CountsGatedProjectionsAndSharedKeyHeads) {
  ModelSpec model = tiny_model();
  model.activation = Activation::kSwiglu;
  model.num_kv_heads = 1;
  model.tied_embedding = false;
  const ParameterCounts counts = count_parameters(model);
  EXPECT_EQ(counts.embedding, 512);  // input and output tables
  EXPECT_EQ(counts.attention, 192);  // 8 * 4 * (2 + 2) for queries and output, (1 + 1) for the rest
  EXPECT_EQ(counts.feed_forward, 384);  // 3 * 8 * 16
}

TEST(CountParameters, CountsRelativePositionsPerStack) {
  ModelSpec model = tiny_model();
  const double without = count_parameters(model).attention;
  model.positions = PositionEncoding::kRelativeBias;
  model.relative_buckets = 32;
  EXPECT_EQ(count_parameters(model).attention - without, 64);  // 32 buckets * 2 heads, one stack
}

TEST(CountParameters, ReplacesDenseBlocksByExpertsAndARouter) {
  ModelSpec model = tiny_model();
  model.num_decoder_layers = 4;
  model.moe = {.num_experts = 3, .top_k = 1, .layer_period = 2};  // layers 1 and 3
  const ParameterCounts counts = count_parameters(model);
  EXPECT_EQ(counts.feed_forward, 512);  // 2 dense blocks of 256
  EXPECT_EQ(counts.experts, 1536);      // 2 layers * 3 experts * 256
  EXPECT_EQ(counts.router, 48);         // 2 layers * 8 * 3
  EXPECT_FALSE(is_moe_layer(model, 0));
  EXPECT_TRUE(is_moe_layer(model, 1));
  EXPECT_TRUE(is_moe_layer(model, 3));
}

TEST(CountParameters, CountsSharedExpertsAsDenseBlocks) {
  ModelSpec model = tiny_model();
  model.num_decoder_layers = 4;
  model.moe = {.num_experts = 3, .top_k = 1, .layer_period = 2, .num_shared_experts = 2};
  const ParameterCounts counts = count_parameters(model);
  EXPECT_EQ(counts.feed_forward, (2 + 2 * 2) * 256);  // 2 dense blocks, 2 in each of 2 MoE layers
  EXPECT_EQ(counts.experts, 1536);                    // as without
  EXPECT_EQ(counts.total() - active_parameters(model), 2 * 2 * 256);  // 2 of 3 experts, 2 layers
}

TEST(ActiveParameters, LeavesOutTheExpertsATokenIsNotSentTo) {
  ModelSpec model = tiny_model();
  EXPECT_EQ(active_parameters(model), count_parameters(model).total());
  model.moe = {.num_experts = 5, .top_k = 2, .layer_period = 1};
  EXPECT_EQ(count_parameters(model).total() - active_parameters(model), 768);  // 3 experts * 256
}

struct PublishedModel {
  std::string name;
  ModelSpec model;
  double parameters = 0;
};

// Names of the cases in ctest.
std::ostream& operator<<(std::ostream& out, const PublishedModel& published) {
  return out << published.name;
}

class PublishedParameters : public ::testing::TestWithParam<PublishedModel> {};

// The papers print two or three digits; half a unit of the last is at most 0.8 % here (6.7, 7.2).
TEST_P(PublishedParameters, AreWithinOnePercent) {
  const PublishedModel& published = GetParam();
  const double counted = count_parameters(published.model).total();
  EXPECT_NEAR(counted / published.parameters, 1.0, 0.01) << counted;
}

// T5 and Switch: Fedus, Zoph, Shazeer, JMLR 23, 2022, tables 7 and 9, and Raffel et al., JMLR 21,
// 2020 (Large: 738M). The arithmetic, from d_model M, d_ff F, L layers a stack, a = 4 M * heads *
// 64 and f = 2 M F (3 M F when gated); attention 3 L a, feed-forward 2 L f, embedding 32128 M:
//   T5-Base       36 * 2.359M + 24 * 4.719M + 24.7M  = 84.9M + 113.2M + 24.7M   = 222.9M
//   T5-Large      72 * 4.194M + 48 * 8.389M + 32.9M  = 302.0M + 402.7M + 32.9M  = 737.6M
//   T5-XXL        72 * 67.11M + 48 * 125.8M + 131.6M = 4.832B + 6.040B + 0.132B = 11.00B
// and with 128 experts in half of the 2 L layers, 127 L f more and routers 128 L M:
//   Switch-Base   222.9M + 127 * 12 * 4.719M = 7.414B
//   Switch-Large  737.6M + 127 * 24 * 8.389M = 26.31B
//   Switch-XXL    11.00B + 127 * 24 * 125.8M = 394.5B (the 64 experts that table 9 prints: 201B)
//   Switch-C      45 * 17.04M + 30 * 2048 * 25.56M + 66.8M + routers 128M = 1571.3B
INSTANTIATE_TEST_SUITE_P(
    EncoderDecoder, PublishedParameters,
    ::testing::Values(PublishedModel{"T5-Base", t5(kBase), 223e6},
                      PublishedModel{"T5-Large", t5(kLarge), 738e6},
                      PublishedModel{"T5-XXL", t5(kXxl), 11e9},
                      PublishedModel{"Switch-Base", t5(kBase, kEveryOther), 7.4e9},
                      PublishedModel{"Switch-Large", t5(kLarge, kEveryOther), 26.3e9},
                      PublishedModel{"Switch-XXL", t5(kXxl, kEveryOther), 394.7e9},
                      PublishedModel{"Switch-C",
                                     t5(kSwitchC, {.num_experts = 2048, .layer_period = 1}),
                                     1571e9}));

// Jiang et al., arXiv:2401.04088, and the Llama papers. Per layer 2 M (heads + kv_heads) 128 +
// 3 M F, and two tables of 32000 M:
//   Llama-2-7B    32 * (67.1M + 135.3M) + 262M =  6.74B
//   Llama-2-13B   40 * (104.9M + 212.3M) + 328M = 13.02B
//   Llama-1-33B   60 * (177.2M + 357.8M) + 426M = 32.53B
//   Llama-2-70B   80 * (151.0M + 704.6M) + 524M = 68.98B
//   Mistral-7B    32 * (41.9M + 176.2M) + 262M =  7.24B
//   Mixtral-8x7B  32 * (41.9M + 8 * 176.2M) + 262M = 46.70B
INSTANTIATE_TEST_SUITE_P(
    DecoderOnly, PublishedParameters,
    ::testing::Values(
        PublishedModel{"Llama-2-7B", decoder_only({32, 4096, 11008, 32, 32}), 6.7e9},
        PublishedModel{"Llama-2-13B", decoder_only({40, 5120, 13824, 40, 40}), 13.0e9},
        PublishedModel{"Llama-1-33B", decoder_only({60, 6656, 17920, 52, 52}), 32.5e9},
        PublishedModel{"Llama-2-70B", decoder_only({80, 8192, 28672, 64, 8}), 69.0e9},
        PublishedModel{"Mistral-7B", decoder_only(kMistral7b), 7.2e9},
        PublishedModel{"Mixtral-8x7B", decoder_only(kMistral7b, kMixtralExperts), 46.7e9}));

TEST(ActiveParameters, MatchesMixtral) {
  // 46.70B less 32 layers * 6 experts * 176.2M = 12.88B; the paper prints 13B (12.9B in its text).
  EXPECT_NEAR(active_parameters(decoder_only(kMistral7b, kMixtralExperts)) / 12.9e9, 1.0, 0.01);
}

}  // namespace
}  // namespace switchyard
