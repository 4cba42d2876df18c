#include "sim/cli/csv_reader.hpp"

#include <gmock/gmock.h>

#include "sim/cli/calibration/import/read_operator_csv.hpp"
#include "tests/cli/config_error_text.hpp"

namespace switchyard {
namespace {

using testing::ElementsAre;

TEST(CsvFields, ReadsQuotesAndDropsBlanks) {
  EXPECT_THAT(csv_fields("a, b ,c d\r").fields, ElementsAre("a", "b", "c d"));
  EXPECT_THAT(csv_fields(R"("a,b", "say ""x""" ," c ")").fields,
              ElementsAre("a,b", "say \"x\"", " c "));
  EXPECT_THAT(csv_fields(",\"\",").fields, ElementsAre("", "", ""));
  EXPECT_THAT(csv_fields("5\" disk,x").fields, ElementsAre("5\" disk", "x"));
  EXPECT_FALSE(csv_fields("\"a\"").ends_in_quotes);
  EXPECT_TRUE(csv_fields("a,\"b,c").ends_in_quotes);
}

TEST(ReadOperatorCsv, TakesWhatSpreadsheetsWrite) {
  const ImportedFile file = read_operator_csv(
      "\xEF\xBB\xBF# device: Made-up GPU\r\n"
      "\"operator\", \"shape\", type, time_us\r\n"
      "gemm, \"rows=8 n=16 k=32\", \"float32\", 3\r\n"
      "\r\n",
      "ops.csv");
  ASSERT_EQ(file.points.size(), 1);
  EXPECT_EQ(file.points.front().shape, "rows=8 n=16 k=32");
  EXPECT_DOUBLE_EQ(file.points.front().median_s, 3e-6);
  EXPECT_EQ(file.device, "Made-up GPU");
}

TEST(ReadOperatorCsv, SaysWhereAQuoteDoesNotEnd) {
  EXPECT_THAT(config_error_text([] {
                return read_operator_csv(
                    "operator,shape,type,time_us\n\"gemm,rows=8 n=8 k=8,float32,3\n", "ops.csv");
              }),
              testing::HasSubstr("ops.csv:2: expected a quote"));
}

}  // namespace
}  // namespace switchyard
