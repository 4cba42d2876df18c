#include "sim/report/csv_report.hpp"

#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/version.hpp"
#include "tests/report/sample_report.hpp"

namespace switchyard {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(ToCsv, BeginsWithWhatMadeIt) {
  EXPECT_EQ(lines_of(to_csv(sample_report())).at(0),
            fmt::format("# switchyard {} git={} seed=7 experiment=tiny engine=analytic",
                        build_info().version, build_info().git_hash));
}

TEST(ToCsv, HasARowForEachCaseWithAFieldForEachColumn) {
  const auto lines = lines_of(to_csv(sample_report()));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(
      lines[1],
      "case,examples_per_s,published_examples_per_s,error_fraction,role,step_time_s,"
      "microbatch_time_s,microbatch_sequences,num_microbatches,num_ranks,mfu,"
      "memory_peak_bytes,fits_in_memory,fits_in_memory_fraction,all_to_all_sent_bytes,busiest_link_"
      "bytes,"
      "encoder_dropped_fraction_p5,encoder_dropped_fraction_p50,encoder_dropped_fraction_p95,"
      "encoder_padding_fraction_p5,encoder_padding_fraction_p50,encoder_padding_fraction_p95,"
      "encoder_expert_imbalance_p5,encoder_expert_imbalance_p50,encoder_expert_imbalance_p95,"
      "encoder_rank_imbalance_p5,encoder_rank_imbalance_p50,encoder_rank_imbalance_p95,"
      "encoder_worst_rank_dropped_fraction_p5,encoder_worst_rank_dropped_fraction_p50,encoder_"
      "worst_rank_dropped_fraction_p95,"
      "encoder_experts_touched_p5,encoder_experts_touched_p50,encoder_experts_touched_p95,"
      "encoder_choices_per_token_p5,encoder_choices_per_token_p50,encoder_choices_per_token_p95,"
      "decoder_dropped_fraction_p5,decoder_dropped_fraction_p50,decoder_dropped_fraction_p95,"
      "decoder_padding_fraction_p5,decoder_padding_fraction_p50,decoder_padding_fraction_p95,"
      "decoder_expert_imbalance_p5,decoder_expert_imbalance_p50,decoder_expert_imbalance_p95,"
      "decoder_rank_imbalance_p5,decoder_rank_imbalance_p50,decoder_rank_imbalance_p95,"
      "decoder_worst_rank_dropped_fraction_p5,decoder_worst_rank_dropped_fraction_p50,decoder_"
      "worst_rank_dropped_fraction_p95,"
      "decoder_experts_touched_p5,decoder_experts_touched_p50,decoder_experts_touched_p95,"
      "decoder_choices_per_token_p5,decoder_choices_per_token_p50,decoder_choices_per_token_p95,"
      "embedding_s,normalization_s,attention_s,feed_forward_s,router_s,dispatch_s,"
      "all_to_all_s,experts_s,logits_s,gradient_accumulation_s,all_reduce_s,gather_s,"
      "optimizer_s,idle_s,step_time_p5_s,step_time_p95_s,memory_peak_p95_bytes");
  // The dense case has no MoE layers: 42 empty cells.
  EXPECT_EQ(lines[2], "dense,100,100,0,fit,0.64,0.144,8,4,2,0.25,6000000000,yes,1,0,0," +
                          std::string(42, ',') +
                          "0,0,0.32,0.24,0,0,0,0,0,0,0,0,0.064,0.016,0.64,0.64,6000000000");
}

TEST(ToCsv, LeavesPublishedCellsEmptyWithoutARate) {
  EXPECT_THAT(to_csv(unpublished_report()), HasSubstr("\ndense,100,,,,0.64,"));
}

struct QuotingCase {
  std::string name;
  std::string field;
};
void PrintTo(const QuotingCase& quoting, std::ostream* out) { *out << quoting.field; }

class ToCsvQuoting : public testing::TestWithParam<QuotingCase> {};

TEST_P(ToCsvQuoting, FollowsRfc4180) {
  RunReport report = unpublished_report();
  report.cases.resize(1);
  report.cases[0].name = GetParam().name;
  EXPECT_THAT(to_csv(report), HasSubstr("\n" + GetParam().field + ",100,"));
}

INSTANTIATE_TEST_SUITE_P(Names, ToCsvQuoting,
                         testing::Values(QuotingCase{"plain name", "plain name"},
                                         QuotingCase{"a, b", "\"a, b\""},
                                         QuotingCase{"6\" disk", "\"6\"\" disk\""},
                                         QuotingCase{"two\nlines", "\"two\nlines\""},
                                         QuotingCase{"#1", "\"#1\""}));

TEST(ToCsv, KeepsTheCommentOnOneLine) {
  RunReport report = sample_report();
  report.experiment = "a\nb";
  EXPECT_THAT(to_csv(report), HasSubstr("experiment=a b engine="));
}

}  // namespace
}  // namespace switchyard
