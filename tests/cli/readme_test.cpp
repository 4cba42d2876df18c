#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/read_splits.hpp"
#include "sim/core/quantile.hpp"
#include "tests/cli/program_run.hpp"

// What `validate` prints of everything that is shipped: in its formats, in README.md, and within
// the intervals that the devices' profiles state.

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;

/// Predicts all that is published, once for all tests.
class WholeValidation : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (!json().is_null()) return;
    const ProgramRun run = switchyard(
        {"validate", "--format", "json", "--quiet", "--out", (folder() / "out").string()});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    json() = Json::parse(run.out);
    areas() = file_text(folder() / "out" / "validation_areas.csv");
  }
  static Json& json() {
    static Json all;
    return all;
  }
  static std::string& areas() {
    static std::string csv;
    return csv;
  }
};

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100.0 * fraction); }

/// A line of README.md, from a summary in JSON.
std::string line_of(const std::string& what, const char* rows, const Json& summary,
                    const Json& baseline_median, const Json& baseline_p90) {
  const auto number = [&](const char* key) { return summary[key].get<double>(); };
  return fmt::format(
      "| {} | {} | {} | {} | {} | {:+.1f} %, {} | {} | {} |", what, summary["num_rows"].get<int>(),
      rows, percent(number("median_absolute_error_fraction")),
      percent(number("p90_absolute_error_fraction")), 100.0 * number("worst_error_fraction"),
      summary["worst_row"].get<std::string>(),
      baseline_median.is_null() ? "-" : percent(baseline_median),
      baseline_p90.is_null() ? "-" : percent(baseline_p90));
}

TEST_F(WholeValidation, IsWhatTheReadmeSays) {
  const std::string readme = file_text(fs::path{SWITCHYARD_SOURCE_DIR} / "README.md");
  const std::string begin = "<!-- begin: switchyard validate --format markdown -->\n";
  const std::size_t from = readme.find(begin);
  ASSERT_NE(from, std::string::npos);
  const std::string table =
      readme.substr(from + begin.size(), readme.find("<!-- end -->") - from - begin.size());
  std::size_t lines = 0;
  const auto expect = [&](const std::string& line) {
    EXPECT_THAT(table, HasSubstr(line + "\n")) << "run `switchyard validate --format markdown`";
    ++lines;
  };
  for (const Json& file : json()["files"]) {
    if (file["summary"].is_null()) continue;
    const Json& best = file["summary"]["best_constant_mfu"];
    expect(line_of("steps: " + file["area"].get<std::string>(), "predicted", file["summary"],
                   best.is_null() ? Json{} : best["median_absolute_error_fraction"],
                   best.is_null() ? Json{} : best["p90_absolute_error_fraction"]));
  }
  for (const Json& area : json()["areas"])
    for (const char* role : {"predicted", "fit"})
      if (!area[role].is_null())
        expect(line_of(area["area"], role, area[role],
                       area[role]["baseline_median_absolute_error_fraction"],
                       area[role]["baseline_p90_absolute_error_fraction"]));
  EXPECT_GE(lines, 15U);
  EXPECT_THAT(table, HasSubstr("UNPROVEN ON GPU"));
}

TEST_F(WholeValidation, HasABaselineBesideEveryArea) {
  for (const Json& area : json()["areas"]) {
    EXPECT_NE(area["baseline"], "") << area["area"];
    for (const Json& row : area["rows"]) EXPECT_GT(row["baseline_s"].get<double>(), 0.0);
  }
}

TEST_F(WholeValidation, SaysTheSameInJsonAndCsv) {
  std::map<std::string, std::size_t> lines;  // by area and role
  std::istringstream in{areas()};
  for (std::string line; std::getline(in, line);)
    for (const Json& area : json()["areas"])
      for (const char* role : {"predicted", "fit"}) {
        const auto name = area["area"].get<std::string>();
        if (line.starts_with(name + ",") && line.find(fmt::format(",{},", role)) != line.npos)
          ++lines[name + role];
      }
  for (const Json& area : json()["areas"])
    for (const char* role : {"predicted", "fit"})
      EXPECT_EQ(lines[area["area"].get<std::string>() + role],
                area[role].is_null() ? 0U : area[role]["num_rows"].get<std::size_t>())
          << area["area"] << " " << role;
}

// Of the table of layers as many rows as are not sealed, over both stacks.
TEST_F(WholeValidation, DoesNotScoreSealedRows) {
  const auto roles =
      roles_of_rows(data_folder() / "experiments" / "reference" / "moe_layer_mixtral_h100.csv");
  const auto open =
      roles.size() - static_cast<std::size_t>(std::ranges::count(roles, SplitRole::kSealed));
  ASSERT_LT(open, roles.size());
  std::size_t rows = 0;
  for (const Json& area : json()["areas"])
    if (area["area"].get<std::string>().starts_with("MoE layers")) rows += area["rows"].size();
  EXPECT_LE(rows, open);
  EXPECT_GT(rows, open / 2);
}

// 90 % of the steps published of an H100 lie within its interval, by the rows that it was made of:
// no evidence, but it must not be stated wrongly. Those of the A100's held-out rows must as well.
TEST_F(WholeValidation, LiesWithinTheIntervalsOfTheDevices) {
  const std::map<std::string, std::string> device_of = {{"mixtral_8x22b", "h100-sxm"},
                                                        {"dense_gpt_a100", "a100-sxm-80gb"},
                                                        {"dense_gpt_a100_node", "a100-sxm-80gb"},
                                                        {"deepseek_v3", "h800-sxm"}};
  for (const Json& file : json()["files"]) {
    const auto device = device_of.find(file["area"]);
    if (device == device_of.end()) continue;
    const ProgramRun shown = switchyard({"show", "device", device->second, "--format", "json"});
    double low = 0;
    double high = 0;
    const Json numbers = Json::parse(shown.out)["numbers"];
    for (const Json& number : numbers) {
      if (number["quantity"] != "step_interval") continue;
      const auto range = number["range"].get<std::string>();
      ASSERT_EQ(std::sscanf(range.c_str(), "%lf to %lf", &low, &high), 2);
    }
    int rows = 0;
    int within = 0;
    for (const Json& row : file["rows"]) {
      if (row["role"] != "predicted") continue;
      // Too fast by e: the measured time is 1 + e of the predicted one.
      const double ratio = 1.0 + row["error_fraction"].get<double>();
      ++rows;
      if (ratio >= low && ratio <= high) ++within;
    }
    EXPECT_GE(within, 0.9 * rows) << file["area"] << ": " << within << " of " << rows;
  }
}

}  // namespace
}  // namespace switchyard
