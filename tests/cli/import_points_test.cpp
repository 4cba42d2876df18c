#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>

#include "sim/cli/calibration/import/hold_out.hpp"
#include "sim/cli/calibration/import/import_trace.hpp"
#include "sim/cli/calibration/import/read_nccl_log.hpp"
#include "sim/cli/calibration/import/repeated_shapes.hpp"
#include "sim/cli/traces/read_kineto.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/made_up_measurements.hpp"
#include "tests/cli/program_run.hpp"
#include "tests/cost_models/synthetic_points.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(ReadNcclLog, TakesOutOfPlaceTimesOfARanksWholeBuffer) {
  const ImportedFile log = read_nccl_log(made_up_log("all_gather_perf", 4), "run.log", {});
  ASSERT_EQ(log.points.size(), 10);
  const ImportedPoint& first = log.points.front();
  EXPECT_EQ(first.name, "all_gather");
  EXPECT_EQ(first.shape, "bytes=1024");
  EXPECT_EQ(first.ranks, 4);
  EXPECT_EQ(first.transport, "nccl");
  // 12 us + 1024 B / 200 GB/s = 12.00512 us, of which the log has four digits after the point.
  EXPECT_NEAR(first.median_s, 12.0051e-6, 1e-12);
  EXPECT_EQ(log.software, "NCCL 2.22.3");
  EXPECT_EQ(log.device, "Made-up GPU");
  EXPECT_TRUE(log.unused.empty());
}

TEST(ReadNcclLog, TellsCollectivesByTheirPrograms) {
  const auto name = [](const std::string& program) {
    return read_nccl_log(made_up_log(program, 2), "x.log", {}).points.front().name;
  };
  EXPECT_EQ(name("alltoall_perf"), "all_to_all");
  EXPECT_EQ(name("reduce_scatter_perf"), "reduce_scatter");
  EXPECT_EQ(name("sendrecv_perf"), "point_to_point");
}

TEST(ReadNcclLog, ReadsSeveralProgramsOneAfterTheOther) {
  const ImportedFile log = read_nccl_log(
      made_up_log("all_reduce_perf", 8) + made_up_log("alltoall_perf", 2), "x.log", {});
  ASSERT_EQ(log.points.size(), 20);
  EXPECT_EQ(log.points.front().ranks, 8);
  EXPECT_EQ(log.points.back().name, "all_to_all");
  EXPECT_EQ(log.points.back().ranks, 2);
}

TEST(ReadNcclLog, RefusesWrongResultsByLine) {
  // Five lines of head, two ranks and four more: the first row is line 12.
  EXPECT_THAT(config_error_text([] {
                return read_nccl_log(made_up_log("all_reduce_perf", 2, "3"), "a.log", {});
              }),
              HasSubstr("a.log:12: #wrong: expected 0, got \"3\": results were wrong"));
}

TEST(ReadNcclLog, RefusesRowsThatAreCutOff) {
  std::string text = made_up_log("all_reduce_perf", 2);
  text.resize(text.find("N/A"));
  EXPECT_THAT(config_error_text([&] { return read_nccl_log(text, "a.log", {}); }),
              HasSubstr("a.log:12: expected 13 columns, as the header has, got 12"));
}

TEST(ReadNcclLog, LeavesOutTheRowThatAStoppedProgramCutOff) {
  const std::string whole = made_up_log("all_reduce_perf", 2);
  // Rows are lines 12 to 21; the last one is cut in the middle, at "N/" of "N/A", and in a line
  // that the scheduler ends.
  const std::string rows = whole.substr(0, whole.find("# Out of bounds"));
  for (const std::string& text :
       {rows.substr(0, rows.size() - 30), rows.substr(0, rows.size() - 2),
        rows.substr(0, rows.size() - 30) + "\nslurmstepd: error: *** JOB 7 CANCELLED ***\n"}) {
    const ImportedFile log = read_nccl_log(text, "a.log", {});
    EXPECT_EQ(log.points.size(), 9);
    ASSERT_EQ(log.warnings.size(), 1);
    EXPECT_THAT(log.warnings.front(), HasSubstr("a.log:21: expected 13 columns"));
  }
  // A row or the end of the table after it: nothing was stopped.
  const std::string cut = rows.substr(0, rows.size() - 30) + "\n";
  for (const std::string& text : {cut + "# Out of bounds values : 0 OK\n",
                                  cut + rows.substr(rows.rfind('\n', rows.size() - 2) + 1)})
    EXPECT_THAT(config_error_text([&] { return read_nccl_log(text, "a.log", {}); }),
                HasSubstr("a.log:21: expected 13 columns"));
}

TEST(RepeatedShapesText, NamesTheShapeThatDiffersMost) {
  const auto point = [](const std::string& shape, double us, const std::string& file) {
    return ImportedPoint{.name = "gemm", .shape = shape, .median_s = us / 1e6, .file = file};
  };
  EXPECT_EQ(repeated_shapes_text({point("a", 1, "x"), point("b", 1, "x")}), "");
  // 1 to 1.25 us is 25 %, 4 to 4.4 us is 10 %.
  const std::string text =
      repeated_shapes_text({point("a", 1, "x"), point("b", 4, "x"), point("c", 9, "y"),
                            point("a", 1.25, "y"), point("b", 4.4, "x")});
  EXPECT_THAT(text, HasSubstr("2 of the imported shapes occur more than once"));
  EXPECT_THAT(text, HasSubstr("differ by up to 25 %: gemm a, 1 to 1.25 us, in x, y"));
}

TEST(ReadNcclLog, TakesTheCollectiveFromTheFileOrTheOption) {
  std::string text = made_up_log("all_reduce_perf", 2);
  text.replace(text.find("all_reduce_perf"), 15, "a program");
  EXPECT_EQ(read_nccl_log(text, "/x/alltoall_8.log", {}).points.front().name, "all_to_all");
  EXPECT_EQ(read_nccl_log(text, "x.log", {.collective = "all_gather"}).points.front().name,
            "all_gather");
  EXPECT_THAT(config_error_text([&] { return read_nccl_log(text, "x.log", {}); }),
              HasSubstr("give it with --import-collective"));
}

TEST(ReadNcclLog, MakesNoPointsOfSeveralHosts) {
  const ImportedFile log =
      read_nccl_log(made_up_log("all_reduce_perf", 2, "0", "node2"), "x.log", {});
  EXPECT_TRUE(log.points.empty());
  ASSERT_EQ(log.unused.size(), 10);
  EXPECT_THAT(log.unused.front().reason, HasSubstr("2 hosts"));
}

TEST(HoldOutEveryThird, GoesByTheNumbersOfShapesAlone) {
  std::vector<ImportedPoint> points;
  for (const int bytes : {64, 8, 512, 16, 32, 256, 128})
    points.push_back({.name = "copy", .shape = fmt::format("bytes={}", bytes)});
  hold_out_every_third(points);
  // Ascending 8 16 32 64 128 256 512: the second and the fifth; the eighth would be next.
  for (const ImportedPoint& point : points)
    EXPECT_EQ(point.role == "held_out", point.shape == "bytes=16" || point.shape == "bytes=128")
        << point.shape;
  points.resize(3);
  for (ImportedPoint& point : points) point.role.clear();
  points[0].role = "held_out";
  hold_out_every_third(points);
  EXPECT_EQ(points[0].role, "held_out");  // as given
  EXPECT_EQ(points[1].role, "fit");       // of three shapes none is held out
}

TEST(ImportTrace, MakesOnePointOfTheCallsOfAShape) {
  const std::string text = made_up_trace(
      made_up_product(1, 256, 1024, 512, 100, 10) + ",\n" +
      made_up_product(2, 256, 1024, 512, 200, 14) + ",\n" +
      made_up_product(3, 256, 1024, 512, 300, 12) + ",\n" +
      // The sum of a product's parts belongs to its operator, linked by the launch alone.
      made_up_event("kernel", "splitKreduce_kernel", 320, 2, R"("correlation": 1003)") + ",\n" +
      made_up_event("kernel", "elementwise_kernel", 400, 5, R"("correlation": 9)"));
  const ImportedFile file = import_trace(read_kineto(text, "t.json"), "t.json");
  ASSERT_EQ(file.points.size(), 1);
  const ImportedPoint& point = file.points.front();
  EXPECT_EQ(point.name, "gemm");
  EXPECT_EQ(point.shape, "rows=256 n=1024 k=512");
  EXPECT_EQ(point.type, "bfloat16");
  EXPECT_EQ(point.repeats, 3);
  // Calls of 10, 14 and 12 + 2 us: the median is 14; p10 is a fifth of the way from 10 to 14.
  EXPECT_NEAR(point.median_s, 14e-6, 1e-12);
  EXPECT_NEAR(point.p10_s, 10.8e-6, 1e-12);
  EXPECT_NEAR(point.p90_s, 14e-6, 1e-12);
  ASSERT_EQ(file.unused.size(), 1);
  EXPECT_EQ(file.unused.front().name, "elementwise_kernel");
  EXPECT_NEAR(file.unused.front().total_s, 5e-6, 1e-12);
  EXPECT_THAT(file.unused.front().reason, HasSubstr("record_shapes"));
  EXPECT_EQ(file.device, "Made-up GPU");
  EXPECT_EQ(file.multiprocessors, 100);
}

struct ShapeExample {
  std::string name;
  std::string dims;
  std::string point;
  std::string shape;
};
class TracedProducts : public testing::TestWithParam<ShapeExample> {};

TEST_P(TracedProducts, BecomePoints) {
  const ShapeExample& example = GetParam();
  const std::string type = R"("c10::Half")";
  const std::string text = made_up_trace(
      made_up_event("cpu_op", example.name, 0, 1,
                    fmt::format(R"("External id": 1, "Input Dims": {}, "Input type": [{}, {}, {}])",
                                example.dims, type, type, type)) +
      ",\n" + made_up_event("kernel", "k", 2, 3, R"("External id": 1)"));
  const ImportedFile file = import_trace(read_kineto(text, "t.json"), "t.json");
  if (example.point.empty()) {
    EXPECT_TRUE(file.points.empty());
    ASSERT_EQ(file.unused.size(), 1);
    return;
  }
  ASSERT_EQ(file.points.size(), 1);
  EXPECT_EQ(file.points.front().name, example.point);
  EXPECT_EQ(file.points.front().shape, example.shape);
}

// Sizes by hand from the definition of each operator: y = a b with a (r, k), b (k, n).
INSTANTIATE_TEST_SUITE_P(
    Shapes, TracedProducts,
    testing::Values(
        ShapeExample{"aten::addmm", "[[7], [3, 5], [5, 7]]", "gemm", "rows=3 n=7 k=5"},
        ShapeExample{"aten::linear", "[[2, 3, 5], [7, 5], []]", "gemm", "rows=6 n=7 k=5"},
        ShapeExample{"aten::bmm", "[[1, 3, 5], [1, 5, 7], []]", "gemm", "rows=3 n=7 k=5"},
        ShapeExample{"aten::bmm", "[[4, 3, 5], [4, 5, 7], []]", "grouped_forward",
                     "rows=12 n=7 k=5 experts=4"},
        ShapeExample{"aten::_grouped_mm", "[[12, 5], [4, 5, 7], [4]]", "grouped_forward",
                     "rows=12 n=7 k=5 experts=4"},
        ShapeExample{"aten::_grouped_mm", "[[7, 12], [12, 5], [4]]", "grouped_weight_gradient",
                     "rows=12 n=7 k=5 experts=4"},
        ShapeExample{"aten::mm", "[[3, 5], [6, 7], []]", "", ""},
        ShapeExample{"aten::mm", "[[0, 5], [5, 7], []]", "", ""},
        ShapeExample{"aten::mm", "[]", "", ""},
        ShapeExample{"aten::add", "[[3, 5], [3, 5], []]", "", ""}));

TEST(ImportTrace, TakesBytesOfCollectivesFromElementsAndTypes) {
  const auto collective = [](const std::string& name, const std::string& more) {
    return made_up_event(
        "kernel", "ncclDevKernel_x", 10, 20,
        fmt::format(R"("Collective name": "{}", "dtype": "BFloat16", "Group size": 8, )"
                    R"("In msg nelems": 1000{})",
                    name, more));
  };
  const std::string text =
      made_up_trace(collective("allreduce", R"(, "Out msg nelems": 1000)") + ",\n" +
                    collective("_allgather_base", R"(, "Out msg nelems": 8000)") + ",\n" +
                    collective("all_to_allv", R"(, "In split size": "[125, 125]")") + ",\n" +
                    collective("all_to_allv", R"(, "In split size": "[900, 100]")") + ",\n" +
                    made_up_event("kernel", "ncclDevKernel_Broadcast", 30, 4, ""));
  const ImportedFile file = import_trace(read_kineto(text, "t.json"), "t.json");
  std::vector<std::string> found;
  for (const ImportedPoint& p : file.points) found.push_back(p.name + " " + p.shape);
  // bfloat16 numbers have 2 bytes; the buffer of an all-gather is the one received.
  EXPECT_THAT(found, testing::ElementsAre("all_reduce bytes=2000", "all_gather bytes=16000",
                                          "all_to_all bytes=2000"));
  EXPECT_EQ(file.points.front().ranks, 8);
  EXPECT_EQ(file.unused.size(), 2);
}

class ProgramImport : public ProgramTest {
 protected:
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{folder() / name, std::ios::binary} << text;
    return (folder() / name).string();
  }
  [[nodiscard]] ProgramRun import(std::vector<std::string> arguments) const {
    std::vector<std::string> all{"calibrate", "--name", "made-up", "--out",
                                 (folder() / "out").string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return switchyard(all);
  }
  [[nodiscard]] std::string output(const std::string& name) const {
    return file_text(folder() / "out" / name);
  }
  /// Products by a form: see made_up_products().
  [[nodiscard]] std::string operators(const std::string& heads) const {
    std::string text = heads + "operator,shape,type,time_us\n";
    for (const KernelPoint& point : made_up_products(30, 0.01, 2))
      text +=
          fmt::format("gemm,{},float32,{:.6f}\n", shape_text(point.call), 1e6 * point.time.base());
    return write("ops.csv", text);
  }
};

TEST_F(ProgramImport, MakesLinksOfLogsAlone) {
  const ProgramRun run = import({"--import", write("a.log", made_up_log("all_reduce_perf", 4)),
                                 "--import", write("b.log", made_up_log("alltoall_perf", 4))});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("all_reduce"));
  const std::string links = output("made-up.nccl.yaml");
  EXPECT_THAT(links, HasSubstr("library: NCCL 2.22.3, nccl"));
  EXPECT_THAT(links, HasSubstr("# all_to_all: imported from b.log"));
  EXPECT_THAT(output("made-up.system.yaml"), HasSubstr("device: h100-sxm"));
  EXPECT_FALSE(fs::exists(folder() / "out" / "made-up.yaml"));
  const ProgramRun used = switchyard({"net", "all-reduce", "--system",
                                      (folder() / "out" / "made-up.system.yaml").string(),
                                      "--bytes", "64 KiB", "--format", "csv"});
  EXPECT_EQ(used.exit_code, 0) << used.err;
}

TEST_F(ProgramImport, SaysWhatOccursTwiceAndWhatWasCutOff) {
  const std::string log = made_up_log("all_reduce_perf", 4);
  const std::string cut = log.substr(0, log.find("# Out of bounds") - 30);
  const ProgramRun run = import({"--import", write("a.log", log), "--import", write("b.log", cut)});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("9 of the imported shapes occur more than once"));
  EXPECT_THAT(run.err, HasSubstr("b.log:23: expected 13 columns"));
}

TEST_F(ProgramImport, RefusesPipesAndDevices) {
  const std::string pipe = (folder() / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const char* option : {"--import", "--points"}) {
    const ProgramRun run = import({option, pipe});  // nobody writes into it
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.err, HasSubstr("pipe: expected a regular file, this is a pipe"));
  }
  EXPECT_THAT(import({"--import", "/dev/zero"}).err, HasSubstr("this is a device"));
  EXPECT_FALSE(fs::exists(folder() / "out"));
}

TEST_F(ProgramImport, MakesAProfileOfAnOperatorCsvThatLoadsByItself) {
  const std::string file = operators("# device: Made-up GPU\n");
  const ProgramRun nameless = import({"--import", file});
  EXPECT_EQ(nameless.exit_code, 2);
  EXPECT_THAT(nameless.err, HasSubstr("ops.csv: does not say what was measured: give --software"));
  const ProgramRun run = import({"--import", file, "--software", "PyTorch 2.5, cuBLAS 12.4"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::string profile = output("made-up.yaml");
  EXPECT_THAT(profile, HasSubstr("software: \"PyTorch 2.5, cuBLAS 12.4\""));
  EXPECT_THAT(profile, HasSubstr("source: ops.csv"));
  // Of 30 shapes the places 1, 4, ..., 28 are held out: ten.
  EXPECT_THAT(profile, HasSubstr("fitted_to: 20"));
  fs::remove(file);
  fs::remove(folder() / "out" / "imported_points.csv");
  const ProgramRun validated =
      switchyard({"validate", "--profile", (folder() / "out" / "made-up.yaml").string()});
  EXPECT_EQ(validated.exit_code, 0) << validated.err;
  EXPECT_EQ(validated.out, run.out);
}

TEST_F(ProgramImport, ListsWhatItDidNotUse) {
  std::string events;
  for (int i = 0; i < 12; ++i)
    events +=
        made_up_product(i, 64 << (i % 6), 512, 256, 100.0 * (i + 1), 8.0 + (1 << (i % 6))) + ",\n";
  events += made_up_event("kernel", "softmax_warp_forward", 5000, 25, "");
  const ProgramRun run =
      import({"--import", write("t.json", made_up_trace(events)), "--software", "PyTorch 2.5"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("softmax_warp_forward"));
  EXPECT_THAT(output("made-up.unused.csv"), HasSubstr("softmax_warp_forward,"));
  EXPECT_THAT(output("made-up.points.csv"), HasSubstr("# multiprocessors: 100"));
  EXPECT_THAT(output("made-up.points.csv"), HasSubstr("gemm,bfloat16,rows=64 n=512 k=256,none"));
}

TEST_F(ProgramImport, ReadsGzippedTraces) {
  std::string events;
  for (int i = 0; i < 6; ++i)
    events += (i > 0 ? ",\n" : "") + made_up_product(i, 64 << i, 512, 256, 100.0 * (i + 1), 9 + i);
  const std::string file = write("t.json", made_up_trace(events));
  ASSERT_EQ(run_program("/bin/gzip", {file}).exit_code, 0);
  const ProgramRun run = import({"--import", file + ".gz", "--software", "PyTorch 2.5"});
  if (run.err.find("no zlib") != std::string::npos) GTEST_SKIP() << "built without zlib";
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::string cut = file_text(file + ".gz");
  cut.resize(cut.size() / 2);
  EXPECT_THAT(import({"--import", write("cut.json.gz", cut), "--software", "x"}).err,
              HasSubstr("broken or cut off"));
}

TEST_F(ProgramImport, RefusesTwoStacksOfOneOperator) {
  std::string points =
      "# switchyard points 1\n# backend: cuda\n# device: Made-up GPU\n# software: ours\n"
      "# cores: 1\n# last_level_cache_bytes: 0\n# memory_bytes: 0\n# started: 2026-01-01\n"
      "operator,precision,shape,transport,ranks,busy_ranks,threads,role,pass,repeats,median_s,"
      "p10_s,p90_s,reference_s\n"
      "gemm,float32,rows=8 n=8 k=8,none,1,1,1,fit,0,20,1e-5,1e-5,1e-5,\n";
  const std::string ours = write("points.csv", points);
  const std::string theirs = operators("");
  const ProgramRun mixed = import({"--points", ours, "--import", theirs, "--software", "cuBLAS"});
  EXPECT_EQ(mixed.exit_code, 2);
  EXPECT_THAT(mixed.err, HasSubstr("a model is fitted to one stack's kernels"));
  const ProgramRun beside =
      import({"--points", ours, "--import", write("a.log", made_up_log("all_reduce_perf", 4))});
  EXPECT_EQ(beside.exit_code, 0) << beside.err;
  EXPECT_THAT(output("made-up.yaml"), HasSubstr("software: \"ours, and NCCL 2.22.3\""));
}

TEST_F(ProgramImport, NamesWhatIsWrongWithACsvByLineAndColumn) {
  const std::string file = write("bad.csv",
                                 "operator,shape,type,time_us,ranks\n"
                                 "gem,rows=1 n=1 k=1,float32,1,1\n"
                                 "gemm,rows=1 n=1,float32,1,1\n"
                                 "gemm,rows=1 n=1 k=1,float8,1,1\n"
                                 "gemm,rows=1 n=1 k=1,float32,-3,1\n"
                                 "all_reduce,bytes=8,float32,1,1\n");
  const ProgramRun run = import({"--import", file, "--software", "x", "--device", "y"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("bad.csv:2: operator: \"gem\" is none of those"));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:3: shape: expected \"rows=... n=... k=...\""));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:4: type: expected one of float32, bfloat16, float16"));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:5: time_us: expected a number of at least 0"));
  EXPECT_THAT(run.err, HasSubstr("bad.csv:6: ranks: expected a number of at least 2"));
}

}  // namespace
}  // namespace switchyard
