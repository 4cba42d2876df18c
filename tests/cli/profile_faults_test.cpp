#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "tests/cli/made_up_points.hpp"
#include "tests/cli/program_run.hpp"

// Profiles of kernels that are torn, changed or not of this machine, and disks that are full.

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

/// A change of a file beside the profile, and what the refusal has to say.
struct Fault {
  std::string name;
  std::string file;
  std::string from;
  std::string to;
  std::string said;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

class CalibratedProfile : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("points.csv", made_up_points());
    const ProgramRun run = calibrate();
    ASSERT_EQ(run.exit_code, 0) << run.err;
  }
  void write(const fs::path& file, const std::string& text) const {
    std::ofstream{folder() / file} << text;
  }
  [[nodiscard]] ProgramRun calibrate() const {
    return switchyard({"calibrate", "--points", (folder() / "points.csv").string(), "--name",
                       "made-up", "--out", (folder() / "out").string()});
  }
  [[nodiscard]] fs::path file(const std::string& ending) const {
    return folder() / "out" / ("made-up." + ending);
  }
  [[nodiscard]] ProgramRun validate() const {
    return switchyard({"validate", "--profile", file("yaml").string()});
  }
  /// The profile in a run, as a user would name it.
  [[nodiscard]] ProgramRun run() const {
    return switchyard({"run", "experiments/execute.yaml", "--quiet", "--set",
                       "system=" + file("system.yaml").string(), "--set",
                       "system.scale_up.ranks=4"});
  }
};

class CalibratedProfileFault : public CalibratedProfile,
                               public testing::WithParamInterface<Fault> {};

TEST_P(CalibratedProfileFault, IsRefusedWithItsPlace) {
  const Fault& fault = GetParam();
  std::string text = file_text(folder() / "out" / fault.file);
  const std::size_t place = text.find(fault.from);
  ASSERT_NE(place, std::string::npos) << fault.from;
  if (fault.to == "<end>")
    text.resize(place + fault.from.size());
  else
    text.replace(place, fault.from.size(), fault.to);
  std::ofstream{folder() / "out" / fault.file} << text;
  for (const ProgramRun& refused : {validate(), run()}) {
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr(fault.said));
    EXPECT_EQ(refused.out, "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, CalibratedProfileFault,
    testing::Values(
        Fault{"TornInAList", "made-up.yaml", "held_out: {points: 10", "<end>", "made-up.yaml:"},
        Fault{"TornAfterAKey", "made-up.yaml", "    constants:", "<end>", "constants"},
        Fault{"NotANumber", "made-up.yaml", "residual: 0.", "residual: nan, was: 0.",
              "interval.residual"},
        Fault{"NegativeError", "made-up.yaml", "median: ", "median: -", "held_out.median"},
        Fault{"NegativeTime", "made-up.yaml", "launch: {value: ", "launch: {value: -",
              "constants.launch.value"},
        Fault{"ConstantWithoutUnit", "made-up.yaml", " GFLOP/s, range", ", range",
              "constants.rate.value"},
        Fault{"UnknownOperator", "made-up.yaml", "operator: gemm", "operator: gemv",
              "models[0].operator"},
        Fault{"AnotherVersion", "made-up.yaml", "version: 1", "version: 9",
              "kernels.version: expected 1, got 9; this program reads no other: calibrate again"},
        Fault{"NoPoints", "made-up.yaml", "made-up.points.csv", "gone.csv",
              "put the file beside it, or calibrate again"},
        Fault{"PointsOfAnotherVersion", "made-up.points.csv", "# switchyard points 1",
              "# switchyard points 7", "made-up.points.csv:1: expected"},
        Fault{"PointTakesNoTime", "made-up.points.csv", ",fit,0,20,", ",fit,0,20,0,0,0,1\nx,",
              "made-up.points.csv:"},
        Fault{"PointIsNotANumber", "made-up.points.csv", ",0.01\n", ",nan\n",
              "made-up.points.csv:10: reference_s"},
        Fault{"PointsTorn", "made-up.points.csv", "none,1,1,1,fit,", "<end>",
              "it is not the file that was fitted to"},
        Fault{"PointChanged", "made-up.points.csv", "gemm,float32,rows=", "gemm,float32,rows=1",
              "it is not the file that was fitted to"},
        Fault{"PointsOfAnotherDevice", "made-up.points.csv", "# device: Made-up core",
              "# device: Another core", "was measured on another device or software"}),
    [](const auto& each) { return each.param.name; });

TEST_F(CalibratedProfile, IsNotWrittenByHalvesWhenTheDiskIsFull) {
  const std::string points = file_text(folder() / "points.csv");
  const fs::path out = folder() / "full";
  // 1 KiB a file stands for the full disk: the points alone are longer.
  const ProgramRun full = run_program(
      "/bin/bash",
      {"-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"", SWITCHYARD_PROGRAM, "calibrate",
       "--points", (folder() / "points.csv").string(), "--name", "made-up", "--out", out.string()});
  EXPECT_EQ(full.exit_code, 2);
  EXPECT_THAT(full.err, AllOf(HasSubstr("cannot write"), HasSubstr("File too large")));
  EXPECT_FALSE(fs::exists(out / "made-up.yaml"));
  EXPECT_EQ(file_text(folder() / "points.csv"), points);
  const ProgramRun again = switchyard({"calibrate", "--points", (folder() / "points.csv").string(),
                                       "--name", "made-up", "--out", out.string()});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(file_text(out / "made-up.yaml"), file_text(file("yaml")));
}

TEST_F(CalibratedProfile, RunsSayWhatTheirTimesAreWorth) {
  const ProgramRun run =
      switchyard({"run", "experiments/execute.yaml", "--set",
                  "system=" + file("system.yaml").string(), "--set", "system.scale_up.ranks=4"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("where times come from"));
  // Products alone were measured: routers, copies and experts are a roofline's.
  EXPECT_THAT(run.err, HasSubstr("% of the time is of operators that no measured kernel runs"));
  EXPECT_THAT(run.err, HasSubstr("(assumed, "));
}

}  // namespace
}  // namespace switchyard
