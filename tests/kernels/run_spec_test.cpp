#include "kernels/run/run_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::kernels {
namespace {

/// The file of a run with one text replaced by another.
std::string file_with(const std::string& text, const std::string& replacement) {
  std::string file = write_run_spec({});
  const auto at = file.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  return file.replace(at, text.size(), replacement);
}

void expect_error(const std::string& file, const std::string& message) {
  try {
    (void)read_run_spec(file, "run.txt");
    FAIL() << "expected: " << message;
  } catch (const KeyFileError& error) {
    EXPECT_EQ(error.what(), message);
  }
}

TEST(RunSpec, IsReadBackAsItWasWritten) {
  RunSpec spec{.layer = {.d_model = 24,
                         .d_ff = 36,
                         .num_experts = 12,
                         .activation = Activation::kGeglu,
                         .precision = Precision::kBfloat16,
                         .router = {.top_k = 2,
                                    .second_choice = SecondChoice::kRandom,
                                    .second_threshold = 0.3,
                                    .renormalized = true,
                                    .jitter = 0.01,
                                    .aux_loss_weight = 0.02,
                                    .z_loss_weight = 1e-3},
                         .capacity = {.capacity_factor = 1.25,
                                      .times_top_k = true,
                                      .minimum = 2,
                                      .rounding = CapacityRounding::kUp,
                                      .group_tokens = 8,
                                      .priority = SlotPriority::kTokenMajor},
                         .expert_dropout = 0.4},
               .tokens_per_rank = 40,
               .layers = 3,
               .partition = {4, 3, 2},
               .chunks = 2,
               .mode = RunMode::kForward,
               .steps = 7,
               .warmup = 0,
               .seed = 18446744073709551615U,
               .backend = BackendChoice::kCpu,
               .threads = 2,
               .routing = InputRouting::kSkew,
               .skew_exponent = 1.5,
               .transport = Transport::kLoopback};
  const std::string text = write_run_spec(spec);
  EXPECT_THAT(text, testing::HasSubstr("capacity_factor = 1.25\n"));
  EXPECT_THAT(text, testing::HasSubstr("seed = 18446744073709551615\n"));
  // Every key is written, so equal texts are equal specs.
  EXPECT_EQ(write_run_spec(read_run_spec(text, "run.txt")), text);
  EXPECT_EQ(read_run_spec(text, "run.txt").layer.capacity.priority, SlotPriority::kTokenMajor);
  EXPECT_FALSE(read_run_spec(write_run_spec({}), "x").layer.capacity.capacity_factor.has_value());
}

TEST(RunSpec, TakesCommentsAndBlanks) {
  const auto spec =
      read_run_spec(file_with("steps = 10\n", "# a comment\n\n  steps=3  # more\r\n"), "run.txt");
  EXPECT_EQ(spec.steps, 3);
}

TEST(RunSpec, NamesEverythingThatIsWrongAtOnce) {
  // Line 1 is schema_version, 2 d_model, 3 d_ff; 36 keys in all.
  expect_error(
      file_with("d_model = 512\nd_ff = 2048\n", "d_modle = 512\nd_ff = 2048.5\nd_ff = 3\n"),
      "run.txt:2: d_modle: unknown key\n"
      "run.txt:3: d_ff: expected a whole number, at least 1 and at most 16777216, got "
      "'2048.5'\n"
      "run.txt:4: d_ff: given in line 3 already\n"
      "run.txt:38: d_model: missing, expected a whole number, at least 1 and at most "
      "16777216");
  expect_error(file_with("precision = selective", "precision"),
               "run.txt:6: precision: expected key = value\n"
               "run.txt:37: precision: missing, expected float32 | bfloat16 | selective");
  expect_error(file_with("capacity_factor = dropless", "capacity_factor = -1"),
               "run.txt:14: capacity_factor: expected a positive number, or dropless, got '-1'");
  expect_error(file_with("schema_version = 1", "schema_version = 2"),
               "run.txt:1: schema_version: expected 1, got '2'");
  expect_error(file_with("jitter = 0\n", "jitter = nan\n"),
               "run.txt:11: jitter: expected a number, at least 0 and at most 1, got 'nan'");
}

TEST(RunSpec, NamesALayerOrAPartitionThatCannotBe) {
  expect_error(file_with("top_k = 1", "top_k = 9"),
               "run.txt: layer: top_k is 9, expected 1 to num_experts, 8");
  expect_error(file_with("data = 1\ntensor = 1\nexpert = 1", "data = 4\ntensor = 1\nexpert = 3"),
               "run.txt: partition: expert is 3, expected a divisor of data, 4");
}

TEST(RunSpec, RefusesSizesThatCannotBeCounted) {
  expect_error(file_with("tokens_per_rank = 1024", "tokens_per_rank = 36028797018963968"),
               "run.txt:24: tokens_per_rank: expected a whole number, at least 0 and at most "
               "2147483647, got '36028797018963968'");
  // Two choices of each token: (2^31 - 1) / 2 tokens have no more than a plan can number.
  RunSpec spec{.layer = {.d_model = 8, .d_ff = 8, .num_experts = 8, .router = {.top_k = 2}},
               .tokens_per_rank = 2147483647};
  expect_error(write_run_spec(spec),
               "run.txt: tokens_per_rank is 2147483647, expected at most 1073741823 with top_k 2");
  // 2^20 * 2^20 ranks.
  spec = {.partition = {.data = 1 << 20, .tensor = 1 << 20, .expert = 1}};
  expect_error(write_run_spec(spec),
               "run.txt: partition: data * tensor is 1099511627776, expected at most 2147483647");
  // 2^24 experts of two matrices of 2^24 * 2^24.
  spec = {.layer = {.d_model = 1 << 24, .d_ff = 1 << 24, .num_experts = 1 << 24}};
  expect_error(write_run_spec(spec),
               "run.txt: layer: num_experts is 16777216, expected fewer: with the other sizes "
               "these are more than 2^60 numbers");
  // 30e6 tokens of each of 2^20 ranks, 2^24 numbers each: 2^69.
  spec = {.layer = {.d_model = 1 << 24, .d_ff = 1, .num_experts = 1},
          .tokens_per_rank = 30000000,
          .partition = {.data = 1 << 20, .tensor = 1, .expert = 1}};
  expect_error(write_run_spec(spec),
               "run.txt: tokens_per_rank is 30000000, expected fewer: with the other sizes these "
               "are more than 2^60 numbers");
}

TEST(RunSpec, HasATraceWithRoutingTraceAlone) {
  const std::string expected =
      "run.txt: trace: expected a .npy file with routing = trace, none with others, got ";
  expect_error(file_with("routing = learned", "routing = trace"), expected + "'none'");
  expect_error(file_with("trace = none", "trace = a.npy"), expected + "'a.npy'");
  RunSpec spec{.routing = InputRouting::kTrace, .trace_file = "there is none.npy"};
  spec = read_run_spec(write_run_spec(spec), "run.txt");
  EXPECT_EQ(spec.trace_file, "there is none.npy");
  EXPECT_THROW(load_choices("run.txt", spec), KeyFileError);
}

TEST(RunSpec, IsNotWrittenWithATextThatWouldNotBeReadBack) {
  try {
    (void)write_run_spec({.trace_file = "case #3.npy"});
    FAIL();
  } catch (const KeyFileError& error) {
    EXPECT_STREQ(error.what(),
                 "trace: cannot be written: expected no #, line break or blanks around it, got "
                 "'case #3.npy'");
  }
}

TEST(RunSpec, HasHelpOnEveryKey) {
  RunSpec spec;
  const std::string help = help_on_keys(run_keys(spec));
  for (const Key& key : run_keys(spec)) {
    EXPECT_THAT(help, testing::HasSubstr("  " + key.name + "\n"));
    EXPECT_FALSE(key.help.empty()) << key.name;
  }
}

}  // namespace
}  // namespace switchyard::kernels
