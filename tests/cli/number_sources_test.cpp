#include "sim/cli/number_sources.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ShippedDevice : public testing::TestWithParam<std::string> {};

TEST_P(ShippedDevice, SaysWhereEveryNumberComesFrom) {
  const YamlNode profile = *device_catalog().load(GetParam());
  EXPECT_THAT(source_problems(profile), IsEmpty());
  EXPECT_GE(sourced_numbers(profile).size(), 15U);
}

TEST_P(ShippedDevice, SaysWhatAPredictionIsWorth) {
  const DeviceFile file = read_document(*device_catalog().load(GetParam()), [](Section section) {
    return read_device(std::move(section));
  });
  ASSERT_TRUE(file.device.step_interval.has_value());
  EXPECT_LT(file.device.step_interval->low, 1.0);
  EXPECT_GT(file.device.step_interval->high, 1.0);
}

INSTANTIATE_TEST_SUITE_P(All, ShippedDevice, testing::ValuesIn(device_catalog().names),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

StepInterval interval_of(const std::string& name) {
  return *read_document(*device_catalog().load(name), [](Section section) {
            return read_device(std::move(section));
          }).device.step_interval;
}

// Whose kernels or steps were not seen has a wider one than who was fitted and compared.
TEST(StepIntervals, AreWiderWhereLessIsKnown) {
  const StepInterval h100 = interval_of("h100-sxm");
  EXPECT_EQ(h100.provenance, Provenance::kMeasured);
  for (const char* name : {"a100-sxm-80gb", "h800-sxm", "h200-sxm", "b200", "gb200"}) {
    const StepInterval other = interval_of(name);
    EXPECT_NE(other.provenance, Provenance::kMeasured) << name;
    EXPECT_LT(other.low, h100.low) << name;
    EXPECT_GT(other.high, h100.high) << name;
  }
  EXPECT_LT(interval_of("b200").low, interval_of("h200-sxm").low);
}

YamlNode small_profile(const std::string& sources) {
  return parse_yaml(
      "peak_bfloat16: 1 TFLOP/s\nmatmul_tile: {rows: 8, columns: 4}\n"
      "memory_efficiency: {value: 0.8, provenance: fitted, range: [0.5, 1]}\nsources:\n" +
          sources,
      "small.yaml");
}

TEST(SourcedNumbers, TakeTheSourceThatNamesMostOfTheirPath) {
  const auto numbers = sourced_numbers(small_profile(
      "  peak_bfloat16: {provenance: datasheet, source: sheet, range: [1 TFLOP/s, 2 TFLOP/s]}\n"
      "  matmul_tile: {provenance: assumed, source: all of it}\n"
      "  matmul_tile.rows: {provenance: datasheet, source: rows alone}\n"
      "  memory_efficiency: {source: copies}\n"));
  ASSERT_EQ(numbers.size(), 4U);
  EXPECT_EQ(numbers[0].quantity, "peak_bfloat16");
  EXPECT_EQ(numbers[0].value, "1 TFLOP/s");
  EXPECT_EQ(numbers[0].range, "1 TFLOP/s to 2 TFLOP/s");
  EXPECT_EQ(numbers[1].source, "rows alone");
  EXPECT_EQ(numbers[2].source, "all of it");
  EXPECT_EQ(numbers[3].provenance, Provenance::kFitted);
  EXPECT_EQ(numbers[3].range, "0.5 to 1");
}

TEST(SourceProblems, NameNumbersWithoutProvenanceAndSourcesOfNothing) {
  EXPECT_THAT(source_problems(small_profile("  peak_bfloat16: {source: sheet}\n"
                                            "  matmul_tile: {provenance: assumed, source: x}\n"
                                            "  matmul_tile.depth: {source: x}\n")),
              ElementsAre("peak_bfloat16: no provenance", "memory_efficiency: no source",
                          "sources.matmul_tile.depth: a source of no number"));
}

TEST(ReadSources, RefusesUnknownQuantitiesAndWords) {
  const std::string text = config_error_text([] {
    (void)read_document(
        small_profile("  peak_bfloat32: {source: sheet}\n"
                      "  matmul_tile: {provenance: guessed}\n"),
        [](Section section) {
          (void)read_sources(section);
          for (const char* key : {"peak_bfloat16", "matmul_tile", "memory_efficiency"})
            (void)section.raw(key, "");
          section.finish();
          return 0;
        });
  });
  EXPECT_THAT(text, HasSubstr("sources.peak_bfloat32: the profile gives no such quantity"));
  EXPECT_THAT(text, HasSubstr("sources.matmul_tile.provenance: expected"));
  EXPECT_THAT(text, HasSubstr("sources.matmul_tile.source: missing"));
}

class ProgramShowDevice : public ProgramTest {};

TEST_F(ProgramShowDevice, PrintsNumbersBesideTheirSources) {
  const ProgramRun run = switchyard({"show", "device", "h200-sxm"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("4800 GB/s"));
  EXPECT_THAT(run.out, HasSubstr("datasheet"));
  EXPECT_THAT(run.out, HasSubstr("h100-sxm"));
  const ProgramRun json = switchyard({"show", "device", "b200", "--format", "json"});
  EXPECT_THAT(json.out, HasSubstr("\"quantity\": \"matmul_model.fp8.efficiency\""));
  EXPECT_EQ(switchyard({"show", "device", "b2000"}).exit_code, 2);
}

}  // namespace
}  // namespace switchyard
