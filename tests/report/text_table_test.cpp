#include "sim/report/text_table.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TextTable three_columns() {
  return {.columns = {{"name", Alignment::kLeft}, {"time\nms"}, {"word", Alignment::kLeft}},
          .rows = {{"a", "1.5", "x"}, {"longer", "10.25", "yy"}}};
}

TEST(FormatTable, AlignsColumnsOverARule) {
  // Widths 6, 5, 4 and two gaps of 2: a rule of 19.
  EXPECT_EQ(format(three_columns(), 80),
            "         time\n"
            "name       ms  word\n"
            "-------------------\n"
            "a         1.5  x\n"
            "longer  10.25  yy\n");
}

TEST(FormatTable, NarrowsTheGapsBeforeItCuts) {
  EXPECT_EQ(format(three_columns(), 18),
            "        time\n"
            "name      ms word\n"
            "-----------------\n"
            "a        1.5 x\n"
            "longer 10.25 yy\n");
}

TEST(FormatTable, CutsWhatIsStillTooWideAndRepeatsTheFirstColumn) {
  EXPECT_EQ(format(three_columns(), 16),
            "         time\n"
            "name       ms\n"
            "-------------\n"
            "a         1.5\n"
            "longer  10.25\n"
            "\n"
            "name    word\n"
            "------------\n"
            "a       x\n"
            "longer  yy\n");
}

TEST(FormatTable, CountsCodePointsNotBytes) {
  const TextTable table{.columns = {{"name", Alignment::kLeft}, {"x"}},
                        .rows = {{"caf\u00e9s", "1"}, {"plain", "2"}}};
  EXPECT_EQ(format(table, 80),
            "name   x\n"
            "--------\n"
            "caf\u00e9s  1\n"
            "plain  2\n");
}

TEST(FormatTableDeathTest, RefusesARowWithAMissingCell) {
  const TextTable table{.columns = {{"a"}, {"b"}}, .rows = {{"1"}}};
  EXPECT_DEATH((void)format(table, 80), "1 cells in a table of 2 columns");
}

}  // namespace
}  // namespace switchyard
