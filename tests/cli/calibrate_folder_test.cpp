// What `calibrate` does to the folder of its files, and when it is ended.

#include <sys/file.h>

#include <gmock/gmock.h>

#include "tests/cli/made_up_points.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CalibrateFolder : public ProgramTest {
 protected:
  [[nodiscard]] fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream{folder() / name} << text;
    return folder() / name;
  }
  [[nodiscard]] fs::path out() const { return folder() / "out"; }
  [[nodiscard]] ProgramRun calibrate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"calibrate", "--name", "made-up", "--out", out().string()});
    return switchyard(more);
  }
  [[nodiscard]] ProgramRun calibrate_points(const std::string& text) const {
    return calibrate({"--points", write("points.csv", text).string()});
  }
};

std::string without_collectives(const std::string& points) {
  return points.substr(0, points.find("all_to_all"));
}

TEST_F(CalibrateFolder, IsOfOneRunAtATime) {
  fs::create_directory(out());
  const int descriptor = ::open(out().c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(descriptor, LOCK_EX), 0);
  const ProgramRun second = calibrate({"--budget", "1s"});
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, StartsWith(out().string() + ": another run is measuring into this"));
  EXPECT_THAT(second.err, HasSubstr("wait until it has ended, or give another with --out"));
  EXPECT_TRUE(fs::is_empty(out()));
  // What measures nothing needs no lock.
  EXPECT_EQ(calibrate_points(made_up_points()).exit_code, 0);
  ::close(descriptor);
}

TEST_F(CalibrateFolder, LosesWhatAnEarlierCalibrationHadAndThisOneHasNot) {
  ASSERT_EQ(calibrate_points(made_up_points()).exit_code, 0);
  ASSERT_TRUE(fs::exists(out() / "made-up.loopback.yaml"));
  std::ofstream{out() / "made-up.mpi.yaml"} << "name: mine\n";
  const ProgramRun again = calibrate_points(without_collectives(made_up_points()));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_FALSE(fs::exists(out() / "made-up.loopback.yaml"));
  EXPECT_THAT(again.err, HasSubstr("removed " + out().string() +
                                   "/made-up.loopback.yaml of an earlier calibration"));
  EXPECT_EQ(file_text(out() / "made-up.mpi.yaml"), "name: mine\n");  // not of calibrate
  EXPECT_THAT(file_text(out() / "made-up.system.yaml"), Not(HasSubstr("library")));
}

TEST_F(CalibrateFolder, IsNotMeasuredIntoForABaseThatIsNotThere) {
  const ProgramRun typo = calibrate({"--budget", "1s", "--base", "h100-sxn"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_EQ(typo.err, "--base: \"h100-sxn\" is not in the catalog; did you mean \"h100-sxm\"?\n");
  EXPECT_THAT(calibrate({"--base", "zzz"}).err, HasSubstr("it has a100-sxm"));
  EXPECT_EQ(calibrate({"--base", "none.yaml"}).err, "--base: there is no file \"none.yaml\"\n");
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(CalibrateFolder, TakesABaseThatIsAFile) {
  const fs::path base = write("mine.yaml", "base: cpu-core\n");
  const std::string points = write("points.csv", made_up_points()).string();
  EXPECT_EQ(calibrate({"--points", points, "--base", base.string()}).exit_code, 0);
  const ProgramRun run = switchyard({"validate", "--profile", (out() / "made-up.yaml").string()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
}

TEST_F(CalibrateFolder, ItsSystemIsNoProfile) {
  ASSERT_EQ(calibrate_points(made_up_points()).exit_code, 0);
  const fs::path system = out() / "made-up.system.yaml";
  const ProgramRun run = switchyard({"validate", "--profile", system.string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, system.string() + ": is a system: give the profile of its device, " +
                         (out() / "made-up.yaml").string() + "\n");
}

TEST_F(CalibrateFolder, StaysAsItWasWhereFilesMayNotGrow) {
  const std::string points = write("points.csv", made_up_points()).string();
  const ProgramRun run =
      run_program("/bin/sh", {"-c", "ulimit -f 2; exec " SWITCHYARD_PROGRAM " calibrate --points " +
                                        points + " --out " + out().string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("cannot write: File too large"), StartsWith(out().string())));
  EXPECT_TRUE(!fs::exists(out()) || fs::is_empty(out()));
}

TEST_F(CalibrateFolder, IsGoneOnWithAfterAnInterrupt) {
  const std::string file = (out() / "points.csv").string();
  const std::string script = "$0 calibrate --budget 60s --ranks 1 --out " + out().string() +
                             " & p=$!; while [ ! -s " + file +
                             " ]; do sleep 0.05; done; kill -TERM $p; wait $p";
  const ProgramRun run = run_program("/bin/sh", {"-c", script, SWITCHYARD_PROGRAM});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.out, "");
  const std::string line =
      "interrupted; what was measured is in " + file + ", and the same command goes on there\n";
  EXPECT_THAT(run.err, EndsWith(line));
  EXPECT_EQ(run.err.find("interrupted"), run.err.rfind("interrupted"));
}

TEST_F(CalibrateFolder, HasAProfileOfAsManyThreadsAsWereMeasured) {
  std::string of_two = made_up_points();
  for (const std::string role : {",fit,", ",held_out,"})
    for (std::size_t at = 0; (at = of_two.find(",1" + role, at)) != std::string::npos; ++at)
      of_two.replace(at, 2, ",2");
  ASSERT_EQ(calibrate_points(of_two).exit_code, 0);
  // Predictions are of ranks that have as many.
  EXPECT_THAT(file_text(out() / "made-up.yaml"), HasSubstr("\n  threads: 2\n"));
  ASSERT_EQ(calibrate_points(made_up_points()).exit_code, 0);
  EXPECT_THAT(file_text(out() / "made-up.yaml"), HasSubstr("\n  threads: 1\n"));
}

}  // namespace
}  // namespace switchyard
