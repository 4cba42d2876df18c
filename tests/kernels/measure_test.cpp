#include "kernels/measure/measure.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "kernels/comm/loopback.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/check_kernels.hpp"
#include "kernels/measure/machine.hpp"
#include "kernels/measure/operator_inputs.hpp"
#include "kernels/measure/quiet_samples.hpp"
#include "kernels/run/measure_command.hpp"
#include "kernels/run/sustained_command.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

OperatorPoint grouped_point() {
  return {.op = MeasuredOperator::kGroupedForward,
          .is_bfloat16 = true,
          .sizes = {7, 64, 32, 3},
          .loads = {5, 0, 2},
          .busy_ranks = 2,
          .threads = 3,
          .role = PointRole::kHeldOut};
}

std::string content_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

/// A file of its own for each test.
fs::path fresh_file(const std::string& name) {
  const fs::path file = fs::temp_directory_path() / ("switchyard_measure_" + name + ".csv");
  fs::remove(file);
  return file;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const KernelError& error) {
    return error.what();
  }
  return "";
}

TEST(PointKey, NamesEverySizeAndHowItRan) {
  EXPECT_EQ(point_key(grouped_point()),
            "grouped_forward,bfloat16,rows=7 n=64 k=32 experts=3 loads=5:0:2,none,1,2,3");
}

TEST(OffsetsOf, FollowTheLoads) {
  EXPECT_EQ(offsets_of(grouped_point()), (std::vector<std::int32_t>{0, 5, 5, 7}));
}

TEST(OffsetsOf, WithoutLoadsAreAsEvenAsCanBe) {
  OperatorPoint point = grouped_point();
  point.loads.clear();
  // 7 rows of 3 experts: the first 7 % 3 = 1 has one more than 2.
  EXPECT_EQ(offsets_of(point), (std::vector<std::int32_t>{0, 3, 5, 7}));
}

TEST(OffsetsOf, RefusesLoadsThatAreNotAllRows) {
  OperatorPoint point = grouped_point();
  point.loads = {5, 1, 2};
  EXPECT_EQ(message_of([&] { static_cast<void>(offsets_of(point)); }),
            "loads: expected 7 rows in all, got 8");
}

TEST(EvenChoices, AreDifferentForEachToken) {
  for (const std::int64_t experts : {5, 8}) {
    const auto chosen = even_choices(100, experts, 4);
    for (std::size_t t = 0; t < 100; ++t) {
      const std::set<std::int32_t> of_token{&chosen[t * 4], &chosen[t * 4] + 4};
      EXPECT_EQ(of_token.size(), 4U) << experts << " experts, token " << t;
      EXPECT_GE(*of_token.begin(), 0);
      EXPECT_LT(*of_token.rbegin(), experts);
    }
  }
}

TEST(ChoosePoints, StayWithinTheBudgetAndHoldSomeOut) {
  const MeasurePlan plan{.budget_s = 120.0};
  double seconds = 0.0;
  std::set<std::string> keys;
  std::map<MeasuredOperator, std::set<PointRole>> roles;
  for (const OperatorPoint& point : choose_points(plan)) {
    seconds += rough_seconds(point, plan);
    EXPECT_TRUE(keys.insert(point_key(point)).second) << point_key(point);
    roles[point.op].insert(point.role);
  }
  EXPECT_LE(seconds, plan.budget_s);
  for (const auto& [op, of_op] : roles) {
    if (op == MeasuredOperator::kLaunch) continue;
    if (op == MeasuredOperator::kLayerForwardBackward)
      EXPECT_EQ(of_op, std::set<PointRole>{PointRole::kLayer});
    else
      EXPECT_TRUE(of_op.contains(PointRole::kFit) && of_op.contains(PointRole::kHeldOut))
          << operator_name(op);
  }
}

TEST(ChoosePoints, ALongerBudgetHasAllOperatorsOfAShorterOne) {
  std::set<std::string> longer;
  for (const OperatorPoint& point : choose_points({.budget_s = 300.0}))
    longer.insert(point_key(point));
  for (const OperatorPoint& point : choose_points({.budget_s = 60.0}))
    EXPECT_TRUE(longer.contains(point_key(point))) << point_key(point);
}

TEST(ChoosePoints, HeldOutShapesAreSpreadAsTheFittedOnesAre) {
  std::map<std::pair<MeasuredOperator, PointRole>, std::vector<double>> logs;
  std::map<std::pair<PointRole, bool>, std::vector<double>> rows_of_type;
  for (const OperatorPoint& point : choose_points({.budget_s = 900.0})) {
    if (point.op != MeasuredOperator::kPermute && point.op != MeasuredOperator::kLayerNorm)
      continue;
    logs[{point.op, point.role}].push_back(std::log2(size_of(point, "d_model")));
    rows_of_type[{point.role, point.is_bfloat16}].push_back(std::log2(size_of(point, "rows")));
  }
  const auto mean = [](const std::vector<double>& of) {
    return std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(of.size());
  };
  // Sizes span 4 octaves of columns and 8 of rows: means of even halves differ by far less than the
  // 1.3 and 2.7 octaves between the means of thirds that are one above the other.
  for (const MeasuredOperator op : {MeasuredOperator::kPermute, MeasuredOperator::kLayerNorm}) {
    const std::vector<double>& fitted = logs[{op, PointRole::kFit}];
    const std::vector<double>& held_out = logs[{op, PointRole::kHeldOut}];
    EXPECT_NEAR(mean(held_out), mean(fitted), 0.6) << operator_name(op);
  }
  for (const bool is_bfloat16 : {false, true})
    EXPECT_NEAR(mean(rows_of_type[{PointRole::kHeldOut, is_bfloat16}]),
                mean(rows_of_type[{PointRole::kFit, is_bfloat16}]), 1.2)
        << is_bfloat16;
}

TEST(ChoosePoints, KeyHeadsDivideTheHeads) {
  for (const OperatorPoint& point : choose_points({.budget_s = 600.0})) {
    if (point.op != MeasuredOperator::kAttentionPrefill) continue;
    EXPECT_EQ(size_of(point, "heads") % size_of(point, "kv_heads"), 0) << point_key(point);
  }
}

TEST(ChoosePoints, SevereSkewIsHeldOutAndMildSkewIsNot) {
  for (const OperatorPoint& point : choose_points({.budget_s = 600.0})) {
    if (point.loads.empty() || point.sizes[0] < 100 * point.sizes[3]) continue;
    const double share =
        static_cast<double>(point.loads.front()) / static_cast<double>(point.sizes[0]);
    double all = 0.0;  // an exponent of 0.6: the first of E has 1 / sum of r^-0.6
    for (std::int64_t r = 1; r <= point.sizes[3]; ++r) all += std::pow(r, -0.6);
    EXPECT_EQ(point.role == PointRole::kHeldOut, share > 1.1 / all) << point_key(point);
  }
}

TEST(PointsFile, RemembersWhatItHasAndDropsATornLine) {
  const fs::path file = fresh_file("resume");
  const PointsHead head{{"device", "a"}, {"started", "now"}};
  {
    PointsFile points{file, head};
    points.add(grouped_point(), 0, {.repeats = 3, .median_s = 2e-3, .p10_s = 1e-3, .p90_s = 3e-3},
               1e-4);
  }
  const std::string whole = content_of(file);
  EXPECT_TRUE(whole.ends_with(",held_out,0,3,0.002,0.001,0.003,1e-04\n")) << whole;
  std::ofstream{file, std::ios::app} << "copy,float32,bytes=64,none,1,1,1,fi";
  // Goes on at another time.
  const PointsFile points{file, {{"device", "a"}, {"started", "later"}}};
  EXPECT_TRUE(points.has(grouped_point(), 0));
  EXPECT_FALSE(points.has(grouped_point(), 1));
  EXPECT_EQ(points.fastest_reference_s(2), 1e-4);
  EXPECT_EQ(content_of(file), whole);
}

TEST(PointsFile, RefusesAFileOfAnotherMachine) {
  const fs::path file = fresh_file("foreign");
  { const PointsFile points{file, {{"device", "a"}}}; }
  const std::string before = content_of(file);
  EXPECT_NE(message_of([&] {
              const PointsFile points(file, {{"device", "b"}});
            }).find("another machine, build or settings: \"# device: a\""),
            std::string::npos);
  EXPECT_EQ(content_of(file), before);
}

TEST(PointsFile, RefusesAnotherNumberOfThreads) {
  const fs::path file = fresh_file("threads");
  const auto refusal = [&](const PointsHead& head) {
    return message_of([&] { const PointsFile points(file, head); });
  };
  const std::string expected =
      file.string() +
      ": was measured with --threads 3, and this run has 1: give --threads 3, or another --out";
  { const PointsFile points{file, {{"device", "a"}, {"threads", "3"}}}; }
  EXPECT_EQ(refusal({{"device", "a"}, {"threads", "3"}}), "");
  EXPECT_EQ(refusal({{"device", "a"}, {"threads", "1"}}), expected);
  // A file whose head does not say it, as older ones: its points do.
  fs::remove(file);
  {
    PointsFile points{file, {{"device", "a"}}};
    points.add(grouped_point(), 0, {.repeats = 3, .median_s = 2e-3, .p10_s = 1e-3, .p90_s = 3e-3},
               1e-4);
  }
  EXPECT_EQ(refusal({{"device", "a"}, {"threads", "3"}}), "");
  EXPECT_EQ(refusal({{"device", "a"}, {"threads", "1"}}), expected);
}

TEST(PointsFile, RefusesAFileThatHoldsSomethingElse) {
  const fs::path file = fresh_file("other");
  std::ofstream{file} << "precious\n";
  EXPECT_NE(message_of([&] { const PointsFile points(file, {}); }).find("no points file"),
            std::string::npos);
  EXPECT_EQ(content_of(file), "precious\n");
}

TEST(PointsFile, SaysThatTheDiskIsFull) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  EXPECT_NE(message_of([&] {
              const PointsFile points("/dev/full", {});
            }).find("cannot be written: No space"),
            std::string::npos);
}

TEST(TakeSamples, TakeAsManyOnEachRankAsTheSlowestNeeds) {
  run_loopback(2, [](Communicator& ranks) {
    ReferenceProduct reference{{[] { return 1e-3; }, [] { return 1e-3; }}, {1e30, 1e30}};
    const double seconds = ranks.rank() == 0 ? 1e-3 : 3e-3;
    const QuietSamples samples = take_samples(ranks, reference,
                                              [&] {
                                                return Sample{seconds / 2, seconds};
                                              },
                                              {.seconds = 0.06});
    EXPECT_EQ(samples.second.repeats, 20);            // 0.06 s of 3 ms
    EXPECT_DOUBLE_EQ(samples.first.median_s, 1e-3);   // means over ranks of 0.5 and 1.5 ms
    EXPECT_DOUBLE_EQ(samples.second.median_s, 2e-3);  // of 1 and 3 ms
  });
}

TEST(TakeSamples, LeavesOutWhatRanBesideASlowReference) {
  // The machine is slow for the 6th to 10th repeat: reference and work take four times as long.
  int count = 0;
  const auto is_slow = [&] { return count >= 6 && count <= 10; };
  ReferenceProduct reference{{[&] { return is_slow() ? 4e-3 : 1e-3; }}, {1e30}};
  const auto ranks = make_single_communicator();
  const QuietSamples samples =
      take_samples(*ranks, reference,
                   [&] {
                     ++count;
                     return is_slow() ? Sample{4e-3, 4e-3} : Sample{1e-3, 1e-3};
                   },
                   {.least = 10, .seconds = 0.0, .chunk_s = 0.0});
  // 15 tries, 10 and half as many more. The 6th to 10th call are slow, and the 11th has a slow
  // reference before it: 15 - 6 are left.
  EXPECT_EQ(samples.second.repeats, 9);
  EXPECT_EQ(samples.second.p90_s, 1e-3);
  EXPECT_EQ(samples.reference_s, 1e-3);
}

TEST(CheckCpuKernels, PassesOnThisMachine) {
  EXPECT_NO_THROW(check_cpu_kernels(1));
  EXPECT_NO_THROW(check_cpu_kernels(2));
}

TEST(MeasureMachine, IsStoppedBetweenPointsAndGoesOn) {
  const fs::path file = fresh_file("machine");
  std::atomic<bool> is_stopped = false;
  int num_points = 0;
  MeasureSpec spec{.plan = {.budget_s = 20.0, .ranks = 2},
                   .file = file,
                   .software = "test",
                   .progress = [&](const MeasureProgress&) { is_stopped = ++num_points == 3; },
                   .is_stopped = &is_stopped};
  const MeasureResult first = measure_machine(spec);
  EXPECT_TRUE(first.was_stopped);
  EXPECT_EQ(first.done, 3U);
  const std::string before = content_of(file);
  EXPECT_NE(before.find("\n# threads: 1\n"), std::string::npos);
  num_points = 1;
  is_stopped = false;
  const MeasureResult second = measure_machine(spec);
  EXPECT_EQ(second.done, 5U);
  EXPECT_TRUE(content_of(file).starts_with(before));
}

TEST(DurationOf, ReadsUnits) {
  EXPECT_EQ(duration_of("3min"), 180.0);
  EXPECT_EQ(duration_of("90 s"), 90.0);
  EXPECT_EQ(duration_of("1.5h"), 5400.0);
  EXPECT_EQ(duration_of("45"), 45.0);
  for (const char* wrong : {"", "min", "-3min", "3 weeks", "0", "nan"})
    EXPECT_THROW(static_cast<void>(duration_of(wrong)), KernelError) << wrong;
}

/// What `measure` does when SIGTERM has already come: exit status and what it says.
std::pair<int, std::string> interrupted_measure(std::vector<std::string> arguments,
                                                const fs::path& file) {
  const fs::path said = file.string() + ".stderr";
  arguments.insert(arguments.end(), {"--out", file.string(), "--ranks", "1"});
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(std::freopen(said.c_str(), "w", stderr));
    static_cast<void>(stopped_by_signal());
    std::raise(SIGTERM);
    const int status = measure_command(arguments);
    std::fflush(stderr);
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(said)};
}

TEST(MeasureCommand, ThatIsInterruptedSaysSoOnce) {
  const fs::path file = fresh_file("interrupted");
  const auto [status, said] = interrupted_measure({"--budget", "1s"}, file);
  EXPECT_EQ(status, kInterruptedStatus);
  EXPECT_EQ(said, "interrupted; what was measured is in " + file.string() +
                      ", and the same command goes on there\n");
  EXPECT_EQ(interrupted_measure({"--budget", "1s", "--quiet"}, file),
            (std::pair{kInterruptedStatus, std::string{}}));
}

TEST(SustainedDurationOf, HasRoomForAStartAndALastHalf) {
  EXPECT_EQ(sustained_duration_of("10s"), 10.0);
  EXPECT_EQ(sustained_duration_of("1min"), 60.0);
  for (const char* shorter : {"1s", "9.9 s"})
    EXPECT_NE(message_of([&] {
                static_cast<void>(sustained_duration_of(shorter));
              }).find("--sustained: expected at least 10 s"),
              std::string::npos);
}

}  // namespace
}  // namespace switchyard::kernels
