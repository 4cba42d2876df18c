#include <algorithm>
#include <cmath>
#include <fstream>

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
