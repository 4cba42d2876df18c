#include "sim/cli/calibration/import/launcher_labels.hpp"

#include <sstream>

#include <gmock/gmock.h>

#include "sim/cli/calibration/import/import_format.hpp"
#include "sim/cli/calibration/import/read_nccl_log.hpp"
#include "tests/cli/made_up_measurements.hpp"

namespace switchyard {
namespace {

TEST(WithoutLabel, KnowsWhatLaunchersPutBeforeLines) {
  const auto parts = [](const char* line) {
    const LabelledLine found = without_label(line);
    return found.rank + "|" + found.text;
  };
  EXPECT_EQ(parts("0: # nThread 1"), "0|# nThread 1");
  EXPECT_EQ(parts(" 3:    1024  256"), "3|   1024  256");  // one blank belongs to the label
  EXPECT_EQ(parts("12:"), "12|");
  EXPECT_EQ(parts("[1,0]<stdout>:#  Rank  0"), "1,0|#  Rank  0");
  EXPECT_EQ(parts("[prterun-a-7@1,2]<stderr>: x"), "prterun-a-7@1,2|x");
  EXPECT_EQ(parts("[4] # size"), "4|# size");
  for (const char* line : {"   1024   256 float sum", "12:30:01 begin", "[a] b", "[unended", "",
                           "node1:12:34 [0] NCCL INFO"})
    EXPECT_EQ(parts(line), std::string{"|"} + line);
}

/// Each line of a log as one rank after the other prints it.
std::string of_all_ranks(const std::string& log, const std::vector<std::string>& labels) {
  std::string text;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);)
    for (const std::string& label : labels) text += label + line + "\n";
  return text;
}

TEST(ReadNcclLog, TakesTheFirstRankOfALabelledLog) {
  const std::string log = made_up_log("all_reduce_perf", 2);
  const std::size_t points = read_nccl_log(log, "a.log", {}).points.size();
  for (const std::vector<std::string>& labels :
       {std::vector<std::string>{"0: ", "1: "}, {"[1,0]<stdout>:", "[1,1]<stdout>:"}, {"[0] "}}) {
    const std::string text = of_all_ranks(log, labels);
    EXPECT_EQ(measured_format(text, "a.log"), MeasuredFormat::kNcclTests) << labels.front();
    const ImportedFile read = read_nccl_log(text, "a.log", {});
    EXPECT_EQ(read.points.size(), points) << labels.front();
    EXPECT_EQ(read.points.front().ranks, 2);
    EXPECT_EQ(read.device, "Made-up GPU");
  }
}

TEST(LinesOfOneRank, KeepsNumbersOfLinesAndUnlabelledOnes) {
  const std::string head = "#  size  count  type  time  algbw";
  EXPECT_THAT(
      lines_of_one_rank("1: # nThread\n0: a\n0: " + head + "\nb\r\n1: " + head + "\n1: c\n"),
      testing::ElementsAre("", "a", head, "b", "", ""));
}

}  // namespace
}  // namespace switchyard
