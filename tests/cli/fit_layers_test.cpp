#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sim/cli/layer_measurements.hpp"
#include "sim/cli/read_layer_stack.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kMeasured = "experiments/reference/moe_layer_mixtral_h100.csv";

fs::path source(const std::string& name) { return fs::path{SWITCHYARD_SOURCE_DIR} / name; }

std::string profile(const std::string& name) {
  return "cost_models/profiles/layers/" + name + ".yaml";
}

/// The rows that are not sealed beside what the shipped profile says.
std::vector<LayerRow> shipped_rows(const std::string& name) {
  const MoeLayerStack stack = read_document(load_yaml(source(profile(name))), [](Section section) {
    return read_layer_stack(std::move(section));
  });
  const DeviceProfile device =
      read_document(load_yaml(source("cost_models/profiles/" + stack.device + ".yaml")),
                    [](Section section) { return read_device(std::move(section)); })
          .device;
  LayerMeasurements measurements;
  add_layer_measurements(source(kMeasured), false, measurements);
  return predict_layers(rows_of(measurements, stack.framework), stack, device);
}

// The targets: 6 % and 12 % on rows that were not fitted to. No sealed row is looked at.
TEST(ShippedLayers, MeetTheirTargetsOnRowsNotFittedTo) {
  const HeldOutError trtllm = layer_error(shipped_rows("trtllm-h100"), SplitRole::kDevelopment);
  EXPECT_EQ(trtllm.rows, 33);
  EXPECT_LE(trtllm.median, 0.06);
  EXPECT_LE(trtllm.p90, 0.10);
  const HeldOutError vllm = layer_error(shipped_rows("vllm-h100"), SplitRole::kDevelopment);
  EXPECT_EQ(vllm.rows, 29);
  EXPECT_LE(vllm.median, 0.12);
  EXPECT_LE(vllm.p90, 0.18);
}

TEST(ShippedLayers, AreBetterThanOneEfficiencyAndOneRate) {
  for (const char* name : {"trtllm-h100", "vllm-h100"}) {
    const std::vector<LayerRow> rows = shipped_rows(name);
    const double median = layer_error(rows, SplitRole::kDevelopment).median;
    EXPECT_LT(2 * median,
              layer_error(rows, SplitRole::kDevelopment, &LayerRow::roofline_error).median);
    EXPECT_LT(2 * median,
              layer_error(rows, SplitRole::kDevelopment, &LayerRow::constant_error).median);
  }
}

class ProgramFitLayers : public ProgramTest {};

TEST_F(ProgramFitLayers, WritesTheShippedProfilesAgain) {
  for (const char* name : {"trtllm-h100", "vllm-h100"}) {
    const std::string shipped = file_text(source(profile(name)));
    std::string text = shipped;
    const std::string constant = "hidden_share: {value: 0.";
    text.replace(text.find(constant) + constant.size(), 1, "9");  // to be replaced
    const fs::path copy = folder() / (std::string{name} + ".yaml");
    std::ofstream{copy} << text;
    const ProgramRun run =
        switchyard({"fit", "layers", kMeasured, "--stack", copy.string(), "--write"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(file_text(copy), shipped);
    EXPECT_THAT(run.out, Not(HasSubstr("sealed  ")));
  }
}

// 49 rows of the framework, less 12 sealed; a comment and the header.
TEST_F(ProgramFitLayers, LeavesSealedRowsOutOfWhatItWrites) {
  const ProgramRun run = switchyard(
      {"fit", "layers", kMeasured, "--stack", profile("trtllm-h100"), "--out", folder().string()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const std::string csv = file_text(folder() / "layers.csv");
  EXPECT_EQ(std::ranges::count(csv, '\n'), 49 - 12 + 2);
  EXPECT_THAT(csv, Not(HasSubstr("sealed")));
}

TEST_F(ProgramFitLayers, NeedsSplitsBesideTheMeasurements) {
  const fs::path file = folder() / "layers.csv";
  std::ofstream{file} << file_text(source(kMeasured));
  const ProgramRun run =
      switchyard({"fit", "layers", file.string(), "--stack", profile("vllm-h100")});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("splits.yaml"));
}

// One line for each area and role: 7 areas have rows that were fitted to, 6 others as well.
TEST_F(ProgramFitLayers, ValidateHasATableOfAreas) {
  const ProgramRun run = switchyard({"validate", "--format", "json", "--quiet"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto areas = nlohmann::ordered_json::parse(run.out)["areas"];
  ASSERT_EQ(areas.size(), 7U);
  for (const auto& area : areas) {
    EXPECT_FALSE(area["fit"].is_null()) << area["area"];
    EXPECT_EQ(area["predicted"].is_null(), area["area"] == "attention H100");
    if (area["predicted"].is_null()) continue;
    EXPECT_LT(area["predicted"]["median_absolute_error_fraction"],
              area["predicted"]["baseline_median_absolute_error_fraction"])
        << area["area"];
  }
}

}  // namespace
}  // namespace switchyard
