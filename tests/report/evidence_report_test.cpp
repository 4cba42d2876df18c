#include "sim/report/evidence_report.hpp"

#include <memory>

#include <gmock/gmock.h>

#include "cost_models/calibration/kernel_profile.hpp"
#include "sim/report/csv_report.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/table_report.hpp"
#include "tests/report/sample_report.hpp"

namespace switchyard {
namespace {

using namespace literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The dense case on measured kernels: of 624 ms 320 (attention) are fitted, 240 (feed-forward)
/// measured and 64 (optimizer) assumed; 16 ms are idle.
RunReport measured_report() {
  RunReport report = unpublished_report();
  report.cases.resize(1);
  CaseReport& row = report.cases.front();
  const auto set = [&](std::size_t i, Provenance provenance, Seconds low, Seconds high) {
    ClassShare& share = row.result.breakdown.at(i);
    share.sources.by_provenance.at(static_cast<std::size_t>(provenance)) = share.time;
    share.sources.low = low;
    share.sources.high = high;
  };
  set(0, Provenance::kFitted, 300_ms, 350_ms);
  set(1, Provenance::kMeasured, 230_ms, 250_ms);
  set(2, Provenance::kAssumed, 64_ms, 64_ms);
  DeviceProfile device;
  device.kernels = std::make_shared<const KernelProfile>();
  row.evidence = step_evidence(row.result, device);
  return report;
}

TEST(EvidenceJson, SaysHowMuchOfEachClassComesFromWhere) {
  const auto json = evidence_json(measured_report().cases.front());
  EXPECT_EQ(json["worst"], "assumed");
  EXPECT_DOUBLE_EQ(json["measured_fraction"], 240.0 / 624.0);
  EXPECT_DOUBLE_EQ(json["fitted_fraction"], 320.0 / 624.0);
  EXPECT_DOUBLE_EQ(json["extrapolated_fraction"], 0.0);
  EXPECT_DOUBLE_EQ(json["assumed_fraction"], 64.0 / 624.0);
  ASSERT_EQ(json["classes"].size(), 3U);
  EXPECT_EQ(json["classes"][0]["class"], "attention");
  EXPECT_EQ(json["classes"][0]["worst"], "fitted");
  EXPECT_DOUBLE_EQ(json["classes"][0]["fitted_s"], 0.32);
  EXPECT_DOUBLE_EQ(json["classes"][0]["interval_s"][1], 0.35);
  EXPECT_FALSE(json["classes"][0].contains("measured_s"));
}

// The parts' ends over their sum: 594 and 664 of 624 ms, of a step of 640.
TEST(ToJson, GivesTheIntervalOfTheStep) {
  const auto json = to_json(measured_report())["cases"][0];
  EXPECT_NEAR(json["results"]["step_time_interval_s"][0], 0.64 * 594 / 624, 1e-12);
  EXPECT_NEAR(json["results"]["step_time_interval_s"][1], 0.64 * 664 / 624, 1e-12);
  EXPECT_EQ(json["provenance"]["step_time_interval_s"], "assumed");
  EXPECT_EQ(json["provenance"]["step_time_s"], "assumed");
  EXPECT_EQ(json["provenance"]["kernels"]["worst"], "assumed");
}

TEST(ToCsv, HasColumnsForWhereTimesComeFrom) {
  EXPECT_THAT(evidence_columns(measured_report()),
              ElementsAre("step_time_low_s", "step_time_high_s", "measured_fraction",
                          "fitted_fraction", "extrapolated_fraction", "datasheet_fraction",
                          "assumed_fraction", "worst_provenance"));
  const auto cells = evidence_cells(measured_report(), measured_report().cases.front());
  ASSERT_EQ(cells.size(), 8U);
  EXPECT_EQ(cells.back(), "assumed");
  // A case of another device in the same table.
  RunReport mixed = measured_report();
  mixed.cases.push_back(unpublished_report().cases.back());
  EXPECT_THAT(evidence_cells(mixed, mixed.cases.back()), testing::Each(""));
}

TEST(FormatTable, SaysWhereTheTimesComeFrom) {
  const std::string text = format_table(measured_report());
  const std::size_t place = text.find("where times come from");
  ASSERT_NE(place, std::string::npos);
  // A table that is too wide is cut, and each part has the first column.
  EXPECT_EQ(text.find("where times come from", place + 1), std::string::npos);
  EXPECT_THAT(text, HasSubstr("300 to 350"));  // ms, of attention
}

// Whoever has no measured kernels reads what they read before.
TEST(Reports, SayNothingOfEvidenceWithoutIt) {
  const RunReport report = sample_report();
  const std::string json = json_text(to_json(report));
  EXPECT_THAT(json, Not(HasSubstr("interval")));
  EXPECT_THAT(json, Not(HasSubstr("kernels")));
  EXPECT_THAT(evidence_columns(report), IsEmpty());
  EXPECT_THAT(to_csv(report), Not(HasSubstr("step_time_low_s")));
  EXPECT_THAT(format_table(report), Not(HasSubstr("where times come from")));
  EXPECT_THAT(format_table(report), Not(HasSubstr("step interval")));
}

// And where a device states an interval they read that as well.
TEST(Reports, SayTheDevicesInterval) {
  RunReport report = unpublished_report();
  DeviceProfile device;
  device.step_interval = StepInterval{.low = 0.5, .high = 2, .provenance = Provenance::kAssumed};
  for (CaseReport& row : report.cases) {
    row.step_interval = device.step_interval;
    row.evidence = step_evidence(row.result, device);
  }
  const auto json = to_json(report)["cases"][0];
  EXPECT_EQ(json["results"]["step_time_interval_s"][1], 1.28);  // of 640 ms
  EXPECT_EQ(json["provenance"]["constants"]["step_interval"]["provenance"], "assumed");
  EXPECT_FALSE(json["provenance"].contains("kernels"));
  EXPECT_THAT(evidence_columns(report), ElementsAre("step_time_low_s", "step_time_high_s"));
  EXPECT_THAT(format_table(report), HasSubstr("0.5 to 2"));
}

}  // namespace
}  // namespace switchyard
