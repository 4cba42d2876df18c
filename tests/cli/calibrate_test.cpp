#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "sim/cli/calibration/layer_rows.hpp"
#include "sim/cli/calibration/validate_profile.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/made_up_points.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProgramCalibrate : public ProgramTest {
 protected:
  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream{folder() / name} << text;
    return folder() / name;
  }
  [[nodiscard]] ProgramRun calibrate(const std::string& points) const {
    return switchyard({"calibrate", "--points", points, "--name", "made-up", "--out",
                       (folder() / "out").string()});
  }
  [[nodiscard]] fs::path profile() const { return folder() / "out" / "made-up.yaml"; }

  /// What `validate` says after `from` became `to` in a file beside the profile.
  [[nodiscard]] std::string refusal_after(const std::string& file, const std::string& from,
                                          const std::string& to) const {
    std::string text = file_text(folder() / "out" / file);
    const std::size_t place = text.find(from);
    if (place == std::string::npos) return "no " + from;
    text.replace(place, from.size(), to);
    std::ofstream{folder() / "out" / file} << text;
    const ProgramRun run = switchyard({"validate", "--profile", profile().string()});
    EXPECT_EQ(run.exit_code, 2);
    return run.err;
  }
};

TEST_F(ProgramCalibrate, WritesAProfileThatPredictsAsTheFitDid) {
  const ProgramRun fitted = calibrate(write("points.csv", made_up_points()).string());
  ASSERT_EQ(fitted.exit_code, 0) << fitted.err;
  const ProgramRun validated =
      switchyard({"validate", "--profile", profile().string(), "--out", folder().string()});
  ASSERT_EQ(validated.exit_code, 0) << validated.err;
  EXPECT_EQ(validated.out, fitted.out);  // constants are written to the digits they have
  EXPECT_THAT(validated.out, HasSubstr("gemm"));
  // A comment, a header, 30 products and 9 all-to-alls.
  EXPECT_EQ(std::ranges::count(file_text(folder() / "calibration.csv"), '\n'), 2 + 30 + 9);
}

TEST_F(ProgramCalibrate, TheShippedProfilePredictsLayersThatItWasNotFittedTo) {
  const ProgramRun run = switchyard(
      {"validate", "--profile", "cost_models/profiles/cpu-2-cores-avx512/cpu-2-cores-avx512.yaml",
       "--format", "csv"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::vector<double> errors;
  std::stringstream lines{run.out};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("layer_forward")) continue;
    std::vector<std::string> columns;
    std::stringstream parts{line};
    for (std::string part; std::getline(parts, part, ',');) columns.push_back(part);
    errors.push_back(std::abs(std::stod(columns.at(9)) / std::stod(columns.at(10)) - 1.0));
  }
  // Seven layers, forward and both, on threads and over MPI; half within the 10 % that is promised.
  ASSERT_EQ(errors.size(), 28U);
  std::ranges::sort(errors);
  EXPECT_LT(errors[14], 0.10);
}

TEST_F(ProgramCalibrate, WritesASystemThatRunsUse) {
  ASSERT_EQ(calibrate(write("points.csv", made_up_points()).string()).exit_code, 0);
  const ProgramRun run =
      switchyard({"run", "experiments/execute.yaml", "--format", "json", "--quiet", "--set",
                  "system=" + (folder() / "out" / "made-up.system.yaml").string(), "--set",
                  "system.scale_up.ranks=4"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("\"operator\": \"gemm\""));
}

TEST_F(ProgramCalibrate, IgnoresALineThatWasNotWrittenToItsEnd) {
  const std::string text = made_up_points();
  const ProgramRun whole = calibrate(write("points.csv", text).string());
  const ProgramRun torn = calibrate(write("torn.csv", text + "gemm,float32,rows=64 n=6").string());
  EXPECT_EQ(torn.exit_code, 0) << torn.err;
  EXPECT_EQ(torn.out, whole.out);
}

TEST_F(ProgramCalibrate, WarnsOfAMachineThatDrifted) {
  std::string text = made_up_points();
  EXPECT_THAT(calibrate(write("a.csv", text).string()).out, Not(HasSubstr("warning")));
  text += point_row("copy", "bytes=1000", "fit", 1e-6, 0.0112);
  EXPECT_THAT(calibrate(write("b.csv", text).string()).out,
              HasSubstr("warning: a reference product took 12 % longer"));
}

TEST_F(ProgramCalibrate, NamesWhatIsWrongWithPointsByLine) {
  const std::string bad = std::string{kPointsHead} +
                          point_row("gem", "rows=1 n=1 k=1", "fit", 1e-6) +
                          point_row("gemm", "rows=1 n=1", "fit", 1e-6) +
                          point_row("gemm", "rows=1 n=0 k=1", "fit", 1e-6) +
                          point_row("gemm", "rows=1 n=1 k=1", "train", 1e-6);
  const ProgramRun run = calibrate(write("bad.csv", bad).string());
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("bad.csv:10: operator: \"gem\" is none of those known"));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:11: shape: expected \"rows=... n=... k=...\""));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:12: shape: n: expected a whole number of at least 1"));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:13: role: expected one of fit, held_out, layer"));
  const ProgramRun foreign = calibrate(write("foreign.csv", "a,b\n1,2\n").string());
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_THAT(foreign.err, HasSubstr("foreign.csv:1: expected \"# switchyard points 1\""));
}

/// Products at 1 ms at first and 1.25 ms later, a minute each; all-to-alls twice as long.
std::string sustained_file() {
  std::string text =
      "# switchyard sustained 1\n# device: Made-up core\n"
      "class,point,end_s,calls,call_median_s,power_w,clock_mhz\n";
  for (const auto& [name, factor] : {std::pair{"product_float32", 1.25}, {"collectives", 2.0}})
    for (int second = 1; second <= 60; ++second)
      text += fmt::format("{},gemm,{}.01,800,{:.9g},300,1400\n", name, second,
                          (second < 5 ? 1.0 : factor) * 1e-3);
  return text;
}

TEST_F(ProgramCalibrate, TakesSustainedSpeedsBesideThePoints) {
  write("points.sustained.csv", sustained_file());
  ASSERT_EQ(calibrate(write("points.csv", made_up_points()).string()).exit_code, 0);
  // 1 over 1.25 and over 2.
  EXPECT_THAT(file_text(profile()), HasSubstr("product_float32: {ratio: 0.8, burst: 1 ms, "
                                              "sustained: 1.25 ms, duration: 60.01 s}"));
  EXPECT_THAT(file_text(profile()), HasSubstr("collectives: {ratio: 0.5,"));
  const auto run = [this](const std::string& speed, const std::string& format) {
    return switchyard({"run", "experiments/execute.yaml", "--format", format, "--quiet", "--set",
                       "system=" + (folder() / "out" / "made-up.system.yaml").string(), "--set",
                       "system.scale_up.ranks=4", "--set", "system.speed=" + speed});
  };
  const ProgramRun burst = run("burst", "table");
  const ProgramRun sustained = run("sustained", "table");
  ASSERT_EQ(sustained.exit_code, 0) << sustained.err;
  EXPECT_THAT(burst.out, HasSubstr("times of measured kernels: burst\n"));
  EXPECT_THAT(sustained.out, HasSubstr("times of measured kernels: sustained\n"));
  EXPECT_NE(burst.out, sustained.out);
  EXPECT_THAT(run("sustained", "json").out, HasSubstr("\"speed\": \"sustained\""));
  const ProgramRun wrong = run("lukewarm", "table");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("system.speed"));
  // In the profile: validated on load.
  EXPECT_THAT(refusal_after("made-up.yaml", "ratio: 0.8", "ratio: 1.8"),
              HasSubstr("kernels.sustained.product_float32.ratio"));
}

TEST_F(ProgramCalibrate, RefusesSustainedSpeedsThatAreNotThere) {
  ASSERT_EQ(calibrate(write("points.csv", made_up_points()).string()).exit_code, 0);
  EXPECT_THAT(file_text(profile()), Not(HasSubstr("sustained:")));
  const ProgramRun run =
      switchyard({"run", "experiments/execute.yaml", "--quiet", "--set",
                  "system=" + (folder() / "out" / "made-up.system.yaml").string(), "--set",
                  "system.scale_up.ranks=4", "--set", "system.speed=sustained"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("the device has no sustained speeds"));
}

TEST_F(ProgramCalibrate, RefusesSustainedSpeedsOfAnotherDevice) {
  std::string text = sustained_file();
  text.replace(text.find("Made-up core"), 12, "Another core");
  write("points.sustained.csv", text);
  const ProgramRun run = calibrate(write("points.csv", made_up_points()).string());
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("device: expected \"Made-up core\" as of the points"));
}

/// Points of a GPU have a column more, and say how products are cut.
TEST_F(ProgramCalibrate, TakesTilesOfAGpuFromItsPoints) {
  std::string text = made_up_points();
  const auto replace = [&text](const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  replace("# backend: cpu\n", "# backend: cuda\n");
  replace("# cores: 2\n",
          "# cores: 2\n# gpus: 4\n# multiprocessors: 108\n# product_tile: 128x256\n");
  replace("reference_s\n", "reference_s,clock_mhz\n");
  replace(",0.01\n", ",0.01,1410\n");
  const ProgramRun run = switchyard({"calibrate", "--points", write("gpu.csv", text).string(),
                                     "--base", "cpu-core", "--out", (folder() / "out").string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(file_text(folder() / "out" / "made-up-core.yaml"),
              HasSubstr("tiles: {rows: 128, columns: 256, multiprocessors: 108}"));
  // Products on GPUs have no tasks, so nothing is known of what one costs.
  EXPECT_THAT(file_text(folder() / "out" / "made-up-core.yaml"), Not(HasSubstr("group:")));
  ASSERT_EQ(calibrate(write("points.csv", made_up_points()).string()).exit_code, 0);
  EXPECT_THAT(file_text(profile()), HasSubstr("group:"));
  EXPECT_THAT(file_text(folder() / "out" / "made-up-core.system.yaml"), HasSubstr("ranks: 4"));
}

TEST_F(ProgramCalibrate, OfAGpuWithoutOneSaysWhatToDo) {
  const fs::path out = folder() / "gpu";
  const ProgramRun run =
      switchyard({"calibrate", "--backend", "cuda", "--budget", "1s", "--out", out.string()});
  if (run.exit_code == 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("--backend cuda: "));
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(ProgramCalibrate, RefusesProfilesThatWereChanged) {
  ASSERT_EQ(calibrate(write("points.csv", made_up_points()).string()).exit_code, 0);
  const std::string good = file_text(profile());
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::ofstream{profile()} << good;
    return refusal_after("made-up.yaml", from, to);
  };
  EXPECT_THAT(refused("version: 1", "version: 2"), HasSubstr("kernels.version: expected 1, got 2"));
  EXPECT_THAT(refused("made-up.points.csv", "gone.csv"), HasSubstr("kernels.points: there is no"));
  EXPECT_THAT(refused("fitted_to: 20", "fitted_to: 21"), HasSubstr("models[0].fitted_to"));
  EXPECT_THAT(refused("rate:", "rat:"), HasSubstr("made-up.yaml:"));
  EXPECT_THAT(refused("rows: 12", "rows: 0"), HasSubstr("kernels.tiles.rows"));
  EXPECT_THAT(refused("Made-up core\n", "Another core\n"), HasSubstr("measured on another device"));
  std::ofstream{profile()} << "peak_bfloat16: 1 TFLOP/s\n";
  EXPECT_EQ(switchyard({"validate", "--profile", profile().string()}).exit_code, 2);
  EXPECT_THAT(switchyard({"validate", "--profile", "cost_models/profiles/cpu-core.yaml"}).err,
              HasSubstr("it has no \"kernels\""));
}

}  // namespace
}  // namespace switchyard
