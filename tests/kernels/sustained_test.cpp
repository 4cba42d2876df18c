#include "kernels/measure/sustained.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/machine_state.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

fs::path fresh_file(const std::string& name) {
  const fs::path file = fs::temp_directory_path() / ("switchyard_sustained_" + name + ".csv");
  fs::remove(file);
  return file;
}

std::string content_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const KernelError& error) {
    return error.what();
  }
  return "";
}

/// 60 rows of a second: 1 ms at first, 1.25 ms from the fifth second on.
std::vector<SustainedRow> slower_from_5_s() {
  std::vector<SustainedRow> rows;
  for (int second = 1; second <= 60; ++second)
    rows.push_back({.end_s = second + 0.01, .calls = 800, .call_s = second < 5 ? 1e-3 : 1.25e-3});
  return rows;
}

TEST(SustainedRateOf, IsOfTheFirstTwoSecondsAndTheLastHalf) {
  const SustainedRate rate = sustained_rate(slower_from_5_s());
  EXPECT_DOUBLE_EQ(rate.burst_s, 1e-3);
  EXPECT_DOUBLE_EQ(rate.sustained_s, 1.25e-3);
  EXPECT_DOUBLE_EQ(rate.ratio(), 0.8);  // 1 over 1.25
}

TEST(SustainedRateOf, OneRowIsItself) {
  const SustainedRate rate = sustained_rate({{.end_s = 1.0, .calls = 1, .call_s = 0.5}});
  EXPECT_DOUBLE_EQ(rate.burst_s, 0.5);
  EXPECT_DOUBLE_EQ(rate.ratio(), 1.0);
}

TEST(SustainedFile, KeepsRowsAndBeginsAClassAgain) {
  const fs::path file = fresh_file("resume");
  const PointsHead head{{"device", "a"}, {"started", "now"}};
  const SustainedRow row{
      .end_s = 1.5, .calls = 7, .call_s = 0.2, .state = {.power_w = 300.5, .clock_mhz = {}}};
  {
    SustainedFile rows{file, head};
    rows.add("memory", "copy", row);
  }
  EXPECT_TRUE(content_of(file).ends_with("memory,copy,1.5,7,0.2,300.5,\n")) << content_of(file);
  std::ofstream{file, std::ios::app} << "memory,copy,2.5,7,0";  // torn
  {
    SustainedFile again{file, {{"device", "a"}, {"started", "later"}}};
    ASSERT_EQ(again.classes().at("memory").size(), 1U);
    EXPECT_EQ(again.classes().at("memory").front().state.power_w, 300.5);
    again.begin("memory");
    again.add("memory", "copy", {.end_s = 1.0, .calls = 9, .call_s = 0.1});
  }
  const SustainedRows read = read_sustained(file);
  ASSERT_EQ(read.classes.at("memory").size(), 1U);  // of the last time
  EXPECT_EQ(read.classes.at("memory").front().calls, 9);
  EXPECT_EQ(read.head.front(), (std::pair<std::string, std::string>{"device", "a"}));
}

TEST(SustainedFile, RefusesOtherMachinesAndOtherFiles) {
  const fs::path file = fresh_file("foreign");
  { const SustainedFile rows{file, {{"device", "a"}}}; }
  EXPECT_NE(message_of([&] {
              const SustainedFile rows(file, {{"device", "b"}});
            }).find("another machine"),
            std::string::npos);
  std::ofstream{file, std::ios::app} << "memory,copy,1,2,-3,,\n";
  EXPECT_NE(message_of([&] {
              static_cast<void>(read_sustained(file));
            }).find(".csv:4: call_median_s: expected a positive number, got \"-3\""),
            std::string::npos);
  std::ofstream{file} << "precious\n";
  EXPECT_NE(
      message_of([&] { const SustainedFile rows(file, {}); }).find("no file of sustained speeds"),
      std::string::npos);
  EXPECT_EQ(content_of(file), "precious\n");
}

TEST(SustainedFileOf, LiesBesideThePoints) {
  EXPECT_EQ(sustained_file_of("out/points.csv"), "out/points.sustained.csv");
  EXPECT_EQ(sustained_file_of("points"), "points.sustained.csv");
}

TEST(MeasureSustained, RunsEachClassAndGoesOnByClass) {
  const fs::path file = fresh_file("cpu");
  std::atomic<bool> is_stopped = false;
  std::set<std::string> seen;
  SustainedSpec spec{.plan = {.ranks = 2},
                     .seconds = 0.5,
                     .file = file,
                     .software = "test",
                     .progress =
                         [&](const std::string& name, const SustainedRow& row) {
                           seen.insert(name);
                           EXPECT_GE(row.calls, 1);
                           is_stopped = seen.size() == 2;
                         },
                     .is_stopped = &is_stopped};
  const SustainedResult first = measure_sustained(spec);
  EXPECT_TRUE(first.was_stopped);
  EXPECT_EQ(first.rates.size(), 1U);  // the second was begun
  seen.clear();
  is_stopped = false;
  spec.progress = [&](const std::string& name, const SustainedRow&) { seen.insert(name); };
  const SustainedResult second = measure_sustained(spec);
  EXPECT_FALSE(second.was_stopped);
  EXPECT_TRUE(seen.contains("product_float32"));
  EXPECT_FALSE(seen.contains("product_bfloat16"));  // was done
  for (const char* name :
       {"product_bfloat16", "product_float32", "grouped", "memory", "collectives"}) {
    ASSERT_TRUE(second.rates.contains(name)) << name;
    const SustainedRate& rate = second.rates.at(name);
    EXPECT_GE(rate.seconds, 0.85 * 0.5) << name;
    EXPECT_GT(rate.ratio(), 0.1) << name;
    EXPECT_LT(rate.ratio(), 10.0) << name;
  }
}

TEST(ProcessorMonitor, ReadsClockAndPowerOfPackages) {
  const fs::path root = fs::temp_directory_path() / "switchyard_processor_monitor";
  fs::remove_all(root);
  const fs::path clock = root / "sys/devices/system/cpu/cpu0/cpufreq";
  const fs::path energy = root / "sys/class/powercap/intel-rapl:0";
  fs::create_directories(clock);
  fs::create_directories(energy);
  std::ofstream{clock / "scaling_cur_freq"} << "2400000\n";  // kHz
  std::ofstream{energy / "energy_uj"} << "1000000\n";
  ProcessorMonitor monitor{root.string()};
  EXPECT_EQ(monitor.read().clock_mhz, 2400.0);
  EXPECT_FALSE(ProcessorMonitor{(root / "none").string()}.read().clock_mhz.has_value());
  std::ofstream{energy / "energy_uj"} << "3000000\n";
  EXPECT_GT(monitor.read().power_w.value_or(0.0), 0.0);  // 2 J since
  std::ofstream{energy / "energy_uj"} << "5\n";
  EXPECT_FALSE(monitor.read().power_w.has_value());  // the counter has wrapped around
}

}  // namespace
}  // namespace switchyard::kernels
