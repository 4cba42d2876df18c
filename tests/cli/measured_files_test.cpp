#include <fstream>
#include <random>

#include <gmock/gmock.h>

#include "sim/cli/calibration/import/import_format.hpp"
#include "sim/cli/calibration/import/import_trace.hpp"
#include "sim/cli/calibration/import/read_nccl_log.hpp"
#include "sim/cli/calibration/import/read_operator_csv.hpp"
#include "sim/cli/traces/measured_text.hpp"
#include "sim/cli/traces/read_kineto.hpp"
#include "sim/cli/traces/read_nsight.hpp"
#include "tests/cli/config_error_text.hpp"
#include "tests/cli/made_up_measurements.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

using testing::HasSubstr;

/// Reads a file as `calibrate --import` does, without fitting to it.
std::size_t num_points_in(const std::filesystem::path& file) {
  const std::string text = read_measured_text(file);
  const std::string name = file.filename().string();
  switch (measured_format(text, name)) {
    case MeasuredFormat::kNcclTests:
      return read_nccl_log(text, name, {}).points.size();
    case MeasuredFormat::kOperators:
      check_is_text(text, name);
      return read_operator_csv(text, name).points.size();
    case MeasuredFormat::kKineto:
      return import_trace(read_kineto(text, name), name).points.size();
    case MeasuredFormat::kNsight:
      return import_trace(read_nsight(text, name), name).points.size();
    case MeasuredFormat::kPoints:
      break;
  }
  return 0;
}

constexpr const char* kNsight =
    "Processing [report.sqlite] with [cuda_gpu_trace.py]...\n"
    "Start (ns),Duration (ns),CorrId,Bytes (MB),Device,Strm,Name\n"
    "1000,2500,7,,Made-up GPU (0),7,\"void gemm<float, 128>(\"\"x\"\")\"\n"
    "4000,500,8,0.5,Made-up GPU (0),7,[CUDA memcpy DtoD]\n";
constexpr const char* kOperators =
    "# software: made-up\noperator,shape,type,time_us,p10_us,p90_us\n"
    "gemm,rows=8 n=8 k=8,float32,3,2,4\ncopy,bytes=1024,float32,1,,\n";

struct BadFile {
  std::string name;
  std::string contents;
  std::string message;
};

class MeasuredFiles : public ProgramTest {
 protected:
  [[nodiscard]] std::filesystem::path write(const std::string& contents) const {
    std::ofstream{folder() / "file", std::ios::binary} << contents;
    return folder() / "file";
  }
};
class BadMeasuredFiles : public MeasuredFiles, public testing::WithParamInterface<BadFile> {};

TEST_P(BadMeasuredFiles, AreRefusedWithTheReason) {
  EXPECT_THAT(config_error_text([&] { return num_points_in(write(GetParam().contents)); }),
              HasSubstr(GetParam().message));
}

const std::string kEvent = made_up_event("kernel", "k", 5, 7, "");

INSTANTIATE_TEST_SUITE_P(
    Files, BadMeasuredFiles,
    testing::Values(
        BadFile{"empty", "", "is empty"}, BadFile{"blank", " \n\n", "is empty"},
        BadFile{"prose", "Dear reader,\n", "it is none of them"},
        BadFile{"database", std::string{"SQLite format 3\0x", 17}, "nsys stats --report"},
        BadFile{"truncated_trace", made_up_trace(kEvent).substr(0, 150), "cut off"},
        BadFile{"negative_duration", made_up_trace(made_up_event("kernel", "k", 5, -7, "")),
                "event 0: \"k\": dur: expected microseconds from 0 to 1e16, got \"-7\""},
        BadFile{"no_duration",
                made_up_trace(R"({"ph": "X", "cat": "kernel", "name": "k", "ts": 5})"),
                "dur: expected microseconds from 0 to 1e16, got nothing"},
        BadFile{"enormous_time", made_up_trace(made_up_event("kernel", "k", 1e300, 1, "")),
                "ts: expected microseconds"},
        BadFile{"number_beyond_doubles",
                made_up_trace(R"({"ph": "X", "cat": "kernel", "ts": 1e999, "dur": 1})"),
                "numbers in range"},
        BadFile{"not_utf8_trace", made_up_trace("\"\xff\""), "expected JSON"},
        BadFile{"not_utf8_csv", "operator,shape,type,time_us\n\xff,,,\n", "got the byte 0xFF"},
        BadFile{"no_events", "{\"a\": 1}", "\"traceEvents\""},
        BadFile{"list", "[1, 2]", "\"traceEvents\""},
        BadFile{"no_kernels", made_up_trace(""), "has no kernels"},
        BadFile{"deep",
                "{\"traceEvents\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}",
                "at most 32 levels"},
        BadFile{"missing_column", "operator,shape,time_us\ngemm,rows=1 n=1 k=1,1\n",
                "missing column(s): type"},
        BadFile{"missing_field", "operator,shape,type,time_us\ngemm,rows=1 n=1 k=1,float32\n",
                "expected 4 fields, got 3"},
        BadFile{"enormous_size",
                "operator,shape,type,time_us\ngemm,rows=99999999999999999999 n=1 k=1,float32,1\n",
                "rows: expected a whole number"},
        BadFile{"quantiles_in_disorder",
                "operator,shape,type,time_us,p10_us,p90_us\ncopy,bytes=1,float32,2,3,4\n",
                "p10_us <= time_us <= p90_us"},
        BadFile{"nsight_negative", "Start (ns),Duration (ns),Name\n5,-1,k\n",
                "Duration: expected a number from 0"},
        BadFile{"nsight_short", "Start (ns),Duration (ns),Name\n5,1\n", "expected 3 fields, got 2"},
        BadFile{"nsight_no_rows", "Start (ns),Duration (ns),Name\n", "found none"},
        BadFile{"log_without_rows", "# nThread 1 nGpus 8\n", "expected rows of nccl-tests"}),
    [](const auto& file) { return file.param.name; });

TEST_F(MeasuredFiles, ReadsNsightsTimesInTheirUnits) {
  const GpuTrace trace = read_nsight(kNsight, "n.csv");
  ASSERT_EQ(trace.kernels.size(), 2);
  EXPECT_EQ(trace.kernels[0].name, "void gemm<float, 128>(\"x\")");
  EXPECT_DOUBLE_EQ(trace.kernels[0].start_us, 1.0);
  EXPECT_DOUBLE_EQ(trace.kernels[0].duration_us, 2.5);
}

/// Reads what is left of `text`, whatever it is: a ConfigError or points, nothing else.
void expect_no_crash(const std::filesystem::path& file) {
  try {
    (void)num_points_in(file);
  } catch (const ConfigError& error) {
    EXPECT_STRNE(error.what(), "");
  }
}

TEST_F(MeasuredFiles, SurviveBeingCutAnywhere) {
  const std::string trace = made_up_trace(made_up_product(1, 8, 8, 8, 10, 5));
  for (const std::string& whole :
       {trace, made_up_log("all_reduce_perf", 2), std::string{kNsight}, std::string{kOperators}})
    for (std::size_t size = 0; size < whole.size(); size += 7)
      expect_no_crash(write(whole.substr(0, size)));
}

TEST_F(MeasuredFiles, SurviveChangedBytes) {
  std::mt19937_64 rng{7};
  const std::string trace = made_up_trace(made_up_product(1, 8, 8, 8, 10, 5));
  for (const std::string& whole :
       {trace, made_up_log("alltoall_perf", 2), std::string{kNsight}, std::string{kOperators}})
    for (int i = 0; i < 300; ++i) {
      std::string changed = whole;
      for (int k = 0; k < 3; ++k)
        changed[rng() % changed.size()] =
            static_cast<char>(k == 0 ? "0-9{[,\"e"[rng() % 8] : rng());
      expect_no_crash(write(changed));
    }
}

}  // namespace
}  // namespace switchyard
