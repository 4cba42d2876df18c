#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "sim/cli/compare/anchor_file.hpp"
#include "sim/cli/compare/comparison.hpp"
#include "sim/cli/traces/read_kineto.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/made_up_measurements.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

double us(Seconds time) { return 1e6 * time.base(); }
double us_of(const ObservedStep& step, TimeClass c) {
  return us(step.times.at(static_cast<std::size_t>(c)));
}

std::string kernel(const std::string& name, double start_us, double duration_us,
                   const std::string& args = "") {
  return made_up_event("kernel", name, start_us, duration_us, args) + ",\n";
}
std::string last_kernel() { return made_up_event("kernel", "my_own_kernel", 40, 2, ""); }

TEST(ClassOfKernel, TellsWhatNamesSay) {
  const auto name = [](const std::string& kernel, std::span<const KernelClass> own = {}) {
    const auto found = class_of_kernel(kernel, own);
    return found ? std::string{time_class_name(*found)} : "";
  };
  EXPECT_EQ(name("sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64_cublas"), "products");
  EXPECT_EQ(name("nvjet_hsh_128x256_64x4_1x2_h_bz_coopA_TNT"), "products");
  EXPECT_EQ(name("void cutlass::device_kernel<GroupProblemShape<...>>"), "experts");
  EXPECT_EQ(name("void flash_fwd_kernel<Flash_fwd_kernel_traits<128, 128>>"), "attention");
  EXPECT_EQ(name("ncclDevKernel_AllReduce_Sum_bf16_RING_LL"), "all-reduce");
  EXPECT_EQ(name("ncclDevKernel_AllGather_RING_LL"), "gather");
  EXPECT_EQ(name("ncclDevKernel_SendRecv"), "all-to-all");
  EXPECT_EQ(name("multi_tensor_apply_kernel<FusedAdamMathFunctor>"), "optimizer");
  EXPECT_EQ(name("void at::native::vectorized_elementwise_kernel<4, ...>"), "elementwise");
  EXPECT_EQ(name("void vllm::moe_align_block_size_kernel"), "permutation");
  EXPECT_EQ(name("my_own_kernel"), "");
  const std::vector<KernelClass> own{{"my_own", TimeClass::kRouter}};
  EXPECT_EQ(name("My_Own_kernel", own), "router");
}

TEST(ObservedStep, CountsCollectivesOnlyWhileNothingIsComputed) {
  // A product from 10 to 30, an all-reduce from 20 to 40, an unknown kernel from 40 to 42.
  const ObservedStep step = observed_step(
      read_kineto(
          made_up_trace(kernel("gemm", 10, 20) + kernel("ncclAllReduce", 20, 20) + last_kernel()),
          "t"),
      {});
  EXPECT_NEAR(us_of(step, TimeClass::kProducts), 20, 1e-9);
  EXPECT_NEAR(us_of(step, TimeClass::kAllReduce), 10, 1e-9);
  EXPECT_NEAR(us(step.unmapped), 2, 1e-9);
  EXPECT_NEAR(us(step.span), 32, 1e-9);
  EXPECT_NEAR(us(step.idle), 0, 1e-9);
  ASSERT_EQ(step.unmapped_kernels.size(), 1);
  EXPECT_EQ(step.unmapped_kernels[0].name, "my_own_kernel");
}

TEST(ObservedStep, TakesTheMedianStepAndKernelsByTheirLaunch) {
  std::string events;
  // Steps of 100, 120 and 500 us; each launches a product at its begin that runs 90 us later, the
  // last ones in the step after.
  const double begins[] = {1000, 1100, 1220};
  const double lengths[] = {100, 120, 500};
  for (int i = 0; i < 3; ++i) {
    events += made_up_event("user_annotation", fmt::format("ProfilerStep#{}", i), begins[i],
                            lengths[i], "") +
              ",\n";
    events += made_up_event("cuda_runtime", "cudaLaunchKernel", begins[i] + 1, 1,
                            fmt::format(R"("correlation": {})", i)) +
              ",\n";
    events += kernel("gemm", begins[i] + 115, 10 + i, fmt::format(R"("correlation": {})", i));
  }
  const ObservedStep step =
      observed_step(read_kineto(made_up_trace(events + last_kernel()), "t"), {});
  EXPECT_EQ(step.name, "ProfilerStep#1, the median of 3 steps");
  EXPECT_NEAR(us(step.span), 120, 1e-9);
  EXPECT_NEAR(us_of(step, TimeClass::kProducts), 11, 1e-9);
  EXPECT_NEAR(us(step.idle), 109, 1e-9);
}

TEST(Compare, JoinsExpertsThatNothingTellsFromProducts) {
  ObservedStep observed{.name = "x", .span = Seconds{10e-3}};
  observed.times.at(static_cast<std::size_t>(TimeClass::kProducts)) = Seconds{9e-3};
  PredictedStep predicted{.step = Seconds{6e-3}};
  predicted.times.at(static_cast<std::size_t>(TimeClass::kProducts)) = Seconds{2e-3};
  predicted.times.at(static_cast<std::size_t>(TimeClass::kExperts)) = Seconds{4e-3};
  const Comparison comparison = compare(observed, predicted);
  EXPECT_EQ(comparison.classes.front().name, "products and experts");
  const Anchor anchor = make_anchor(comparison, "2026-01-01", false);
  // 9 ms over 2 + 4.
  EXPECT_DOUBLE_EQ(anchor.factors.at(static_cast<std::size_t>(TimeClass::kProducts)), 1.5);
  EXPECT_DOUBLE_EQ(anchor.factors.at(static_cast<std::size_t>(TimeClass::kExperts)), 1.5);
}

TEST(MakeAnchor, RefusesRatiosFarFromOne) {
  const Comparison comparison{.experiment = "e",
                              .classes = {{"products", Seconds{6e-3}, Seconds{1e-3}}}};
  EXPECT_THAT(config_error_text([&] { return make_anchor(comparison, "d", false); }),
              HasSubstr("products: 6 ms observed, 1 ms predicted: ratio 6"));
  EXPECT_DOUBLE_EQ(make_anchor(comparison, "d", true).factors.front(), 6.0);
}

TEST(ScaleTime, MultipliesStartupAndBytesAndNeverLiftsABound) {
  const auto scaled = [](double factor) {
    CollectiveSchedule schedule{.algorithm = "direct", .startup = Seconds{4e-6}};
    schedule.rounds.push_back({.flows = {{RankId{0}, RankId{1}, Bytes{100}}}});
    schedule.proven_bound = Seconds{8e-6};
    scale_time(schedule, factor);
    return schedule;
  };
  EXPECT_DOUBLE_EQ(scaled(2).startup.base(), 8e-6);
  EXPECT_DOUBLE_EQ(scaled(2).rounds[0].flows[0].bytes.base(), 200);
  EXPECT_DOUBLE_EQ(scaled(2).proven_bound.base(), 8e-6);
  EXPECT_DOUBLE_EQ(scaled(0.5).proven_bound.base(), 4e-6);
}

class ProgramCompare : public ProgramTest {
 protected:
  using Json = nlohmann::ordered_json;

  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{folder() / name} << text;
    return (folder() / name).string();
  }
  [[nodiscard]] ProgramRun compare(std::vector<std::string> more) const {
    std::vector<std::string> all{"compare",
                                 (folder() / "observed.csv").string(),
                                 "experiments/execute.yaml",
                                 "--case",
                                 "expert+data",
                                 "--engine",
                                 "analytic"};
    all.insert(all.end(), more.begin(), more.end());
    return switchyard(all);
  }
  [[nodiscard]] Json compared(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"--format", "json"};
    all.insert(all.end(), more.begin(), more.end());
    const ProgramRun run = compare(all);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return Json::parse(run.out);
  }
  [[nodiscard]] static double predicted(const Json& comparison, const std::string& name) {
    for (const Json& row : comparison["classes"])
      if (row["class"] == name) return row["predicted_s"];
    return 0;
  }
};

TEST_F(ProgramCompare, PredictsWhatRunDoes) {
  (void)write("observed.csv", "class,time_us\nproducts,1000\n");
  const Json comparison = compared();
  const ProgramRun run = switchyard(
      {"run", "experiments/execute.yaml", "--engine", "analytic", "--format", "json", "--quiet"});
  for (const Json& c : Json::parse(run.out)["cases"]) {
    if (c["name"] != "expert+data") continue;
    EXPECT_EQ(predicted(comparison, "step"), c["results"]["step_time_s"]);
    double all_to_all = 0;
    for (const Json& share : c["results"]["breakdown"])
      if (share["class"] == "all-to-all") all_to_all = share["time_s"];
    EXPECT_NEAR(predicted(comparison, "all-to-all"), all_to_all, 1e-12);
  }
  // All classes with idle make the step.
  EXPECT_NEAR(predicted(comparison, "total"), predicted(comparison, "step"),
              1e-6 * predicted(comparison, "step"));
}

TEST_F(ProgramCompare, AnchorsLaterPredictionsToOneObservedStep) {
  (void)write("observed.csv", "class,time_us\nproducts,1\nexperts,1\n");
  const Json before = compared();
  // Products took 1.5 times and experts 0.5 times as long as predicted; the rest was not seen.
  const double products = predicted(before, "products");
  const double experts = predicted(before, "experts");
  ASSERT_GT(experts, 0);
  (void)write("observed.csv", fmt::format("class,time_us\nproducts,{}\nexperts,{}\n",
                                          1.5e6 * products, 0.5e6 * experts));
  const std::string anchor = (folder() / "anchor.yaml").string();
  const ProgramRun anchored = compare({"--anchor", anchor});
  ASSERT_EQ(anchored.exit_code, 0) << anchored.err;
  EXPECT_EQ(read_anchor(anchor).trace, "observed.csv");
  const Json after = compared({"--set", "anchor=" + anchor});
  EXPECT_NEAR(predicted(after, "products"), 1.5 * products, 1e-6 * products);
  EXPECT_NEAR(predicted(after, "experts"), 0.5 * experts, 1e-6 * experts);
  for (const char* name : {"attention", "router", "elementwise", "all-to-all"})
    EXPECT_NEAR(predicted(after, name), predicted(before, name), 1e-9 * predicted(before, name))
        << name;
  EXPECT_THAT(after["anchored_to"], HasSubstr("observed.csv"));

  const ProgramRun run = switchyard(
      {"run", "experiments/execute.yaml", "--engine", "analytic", "--set", "anchor=" + anchor});
  EXPECT_THAT(run.out, HasSubstr("expert+data is anchored to observed.csv"));
  EXPECT_THAT(compare({"--set", "anchor=" + anchor, "--anchor", anchor}).err,
              HasSubstr("anchored already"));
}

TEST_F(ProgramCompare, WritesNothingWhereTheAnchorIsRefused) {
  // A second of products is far more than is predicted.
  (void)write("observed.csv", "class,time_us\nproducts,1000000000\n");
  const fs::path out = folder() / "out";
  const fs::path anchor = folder() / "new" / "anchor.yaml";
  const auto refused = [&](const fs::path& file) {
    const ProgramRun run = compare({"--out", out.string(), "--anchor", file.string()});
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_FALSE(fs::exists(out));
    EXPECT_FALSE(fs::exists(anchor.parent_path()));
    return run.err;
  };
  EXPECT_THAT(refused(anchor), HasSubstr("--anchor: expected ratios from 0.2 to 5"));
  EXPECT_THAT(refused(folder()), HasSubstr("--anchor: expected a file"));
  EXPECT_THAT(refused(folder() / "new" / ""), HasSubstr("--anchor: expected a file"));
  EXPECT_THAT(refused(folder() / "observed.csv" / "x.yaml"), HasSubstr("cannot create"));
  EXPECT_EQ(compare({"--out", out.string(), "--anchor", anchor.string(), "--anchor-any"}).exit_code,
            0);
  EXPECT_TRUE(fs::exists(anchor));
}

TEST_F(ProgramCompare, SaysThatAnAnchoredStepIsFasterThanTheDevice) {
  const std::string anchor = write("anchor.yaml",
                                   "version: 1\nexperiment: e\ntrace: t\ndate: d\n"
                                   "factors: {products: 0.001, experts: 0.001, attention: 0.001, "
                                   "elementwise: 0.001, permutation: 0.001, router: 0.001}\n");
  const ProgramRun run =
      switchyard({"run", "experiments/execute.yaml", "--engine", "analytic", "--set",
                  "anchor=" + anchor, "--out", (folder() / "out").string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("than its products at the device's peak"));
  EXPECT_THAT(file_text(folder() / "out" / "results.csv"), HasSubstr(",anchored_to\n"));
}

TEST_F(ProgramCompare, TakesTheCsvOfASpreadsheet) {
  (void)write("observed.csv", "\xEF\xBB\xBF\"class\", \"time_us\"\r\n\"products\", 1000\r\n");
  double observed = 0;
  const Json comparison = compared();
  for (const Json& row : comparison["classes"])
    if (row["class"] == "products and experts") observed = row["observed_s"];
  EXPECT_DOUBLE_EQ(observed, 1e-3);
}

TEST_F(ProgramCompare, RefusesWhatItCannotCompare) {
  (void)write("observed.csv", "class,time_us\nproduct,1\nproducts,-1\n");
  const ProgramRun bad = compare({});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr(":2: class: expected one of products"));
  EXPECT_THAT(bad.err, HasSubstr(":3: time_us: expected a number of at least 0"));
  (void)write("observed.csv", "class,time_us\nproducts,1\n");
  const ProgramRun many =
      switchyard({"compare", (folder() / "observed.csv").string(), "experiments/execute.yaml"});
  EXPECT_THAT(many.err, HasSubstr("--case: expected one of data, model"));
  const std::string anchor = write("anchor.yaml",
                                   "version: 1\nexperiment: e\ntrace: t\ndate: d\n"
                                   "factors: {products: -1, expert: 2}\n");
  const ProgramRun wrong = compare({"--set", "anchor=" + anchor});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("factors.products"));
  EXPECT_THAT(wrong.err, HasSubstr("expert"));
  const std::string classes = write("classes.csv", "pattern,class\nx,expertz\n");
  EXPECT_THAT(compare({"--classes", classes}).err, HasSubstr("did you mean \"experts\"?"));
}

TEST_F(ProgramCompare, ReadsTraces) {
  const std::string trace =
      write("trace.json", made_up_trace(kernel("gemm", 10, 20) + last_kernel()));
  const std::string classes = write("classes.csv", "pattern,class\nmy_own,router\n");
  const ProgramRun run =
      switchyard({"compare", trace, "experiments/execute.yaml", "--case", "data", "--engine",
                  "analytic", "--classes", classes, "--out", (folder() / "out").string()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("execute, data beside trace.json, the whole trace"));
  EXPECT_THAT(run.out, Not(HasSubstr("unmapped")));
  // A comment, a head, and the classes.
  EXPECT_THAT(file_text(folder() / "out" / "comparison.csv"), HasSubstr("\nrouter,2e-06,"));
  EXPECT_THAT(file_text(folder() / "out" / "comparison.json"), HasSubstr("observed_s"));
}

}  // namespace
}  // namespace switchyard
