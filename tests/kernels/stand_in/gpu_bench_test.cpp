// Measuring on a GPU, with the host side as it is and a stand-in for the device.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/cuda/check_cuda_kernels.hpp"
#include "kernels/measure/cuda/cuda_operator.hpp"
#include "kernels/measure/measure.hpp"
#include "kernels/measure/measure_backend.hpp"
#include "kernels/measure/sustained.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {
namespace {

namespace fs = std::filesystem;

/// A stand-in as it is at first, and a file that is not there.
class GpuBenchOnAStandIn : public testing::Test {
 protected:
  GpuBenchOnAStandIn() {
    stand_in_gpu() = {};
    fs::remove(file_);
  }
  ~GpuBenchOnAStandIn() override { stand_in_gpu() = {}; }

  MeasureSpec spec() {
    return {.device = MeasureDevice::kCuda,
            .plan = {.budget_s = 600.0, .ranks = 1},
            .file = file_,
            .software = "test",
            .progress =
                [this](const MeasureProgress& progress) {
                  seen_.insert(progress.point.substr(0, progress.point.find(',')));
                  is_stopped_ = ++num_points_ == most_points_;
                },
            .is_stopped = &is_stopped_};
  }

  std::string refusal() {
    try {
      static_cast<void>(measure_machine(spec()));
    } catch (const KernelError& error) {
      EXPECT_EQ(error.fault(), Fault::kDevice);
      return error.what();
    }
    return "";
  }

  [[nodiscard]] std::string content() const {
    std::stringstream text;
    text << std::ifstream{file_}.rdbuf();
    return text.str();
  }

  // Tests of one fixture may run at the same time.
  fs::path file_ = fs::temp_directory_path() /
                   (std::string{"switchyard_gpu_bench_"} +
                    testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv");
  std::atomic<bool> is_stopped_ = false;
  int num_points_ = 0;
  int most_points_ = 0;
  std::set<std::string> seen_;
};

TEST_F(GpuBenchOnAStandIn, PassesItsChecks) {
  CudaBackend cuda;
  for (const FailedCheck& failed : failed_cuda_checks(cuda))
    ADD_FAILURE() << operator_name(failed.op) << ": " << failed.message;
}

TEST_F(GpuBenchOnAStandIn, FindsTheKernelThatIsWrongAndLayersOfIt) {
  stand_in_gpu().permutes_wrongly = true;
  CudaBackend cuda;
  std::set<std::string> failed;
  for (const FailedCheck& check : failed_cuda_checks(cuda))
    failed.insert(std::string{operator_name(check.op)} + (check.is_bfloat16 ? " 2" : " 4"));
  // What runs behind a permutation in a layer: outputs and gradients. Its router reads no rows,
  // but gets gradients of gates from them.
  for (const char* name : {"permute 2", "permute 4", "layer_forward 2", "layer_forward_backward 4"})
    EXPECT_TRUE(failed.contains(name)) << name;
  for (const char* name : {"gemm 2", "grouped_forward 2", "combine 2", "plan 4", "router 2"})
    EXPECT_FALSE(failed.contains(name)) << name;
}

TEST_F(GpuBenchOnAStandIn, MeasuresWithoutWhatFailedAndWhatDoesNotFit) {
  stand_in_gpu().permutes_wrongly = true;  // layers, too, are not timed then
  most_points_ = 16;                       // all families once, but permute and router_backward
  const MeasureResult first = measure_machine(spec());
  EXPECT_TRUE(first.was_stopped);
  EXPECT_EQ(first.done, 16U);
  EXPECT_FALSE(first.failed_checks.empty());
  EXPECT_FALSE(seen_.contains("permute"));
  EXPECT_FALSE(seen_.contains("layer_forward_backward"));
  for (const char* name : {"launch", "sync", "copy", "gemm", "grouped_weight_gradient", "router",
                           "plan", "combine_backward", "activation", "activation_backward"})
    EXPECT_TRUE(seen_.contains(name)) << name;
  EXPECT_GT(num_graph_launches(), 0);
  const std::string before = content();
  EXPECT_NE(before.find("# backend: cuda\n# device: stand-in\n# software: test, CUDA "),
            std::string::npos);
  EXPECT_NE(before.find("\n# multiprocessors: 1\n# product_tile: 128x128\n"), std::string::npos);
  // The stand-in has no NVML: the clock is empty.
  EXPECT_NE(before.find(",reference_s,clock_mhz\n"), std::string::npos);
  EXPECT_TRUE(before.ends_with(",\n")) << before.substr(before.size() - 200);
  // Goes on where it was.
  num_points_ = 15;
  is_stopped_ = false;
  EXPECT_EQ(measure_machine(spec()).done, 17U);
  EXPECT_TRUE(content().starts_with(before));
}

TEST_F(GpuBenchOnAStandIn, SkipsLayersThatDoNotFit) {
  // Weights and gradients of Switch-Base: 128 experts of 3 * 768 * 2048 numbers, 2 + 4 bytes each,
  // are 3.6 GB; of Mixtral 8.5 GB; of the kind of Switch-C 16 * 2 * 2080 * 6144: 2.5 GB, with rows
  // and workspaces above 0.95 * 3 GB.
  stand_in_gpu().free_bytes = stand_in_gpu().total_bytes = 3'000'000'000;
  const auto bench = make_cuda_measure(spec().plan, nullptr);
  int num_layers = 0;
  for (const OperatorPoint& point : bench->choose(spec().plan)) {
    if (point.op != MeasuredOperator::kLayerForwardBackward) continue;
    ++num_layers;
    EXPECT_NE(bench->obstacle(point).find("this GPU has 3.0 GB"), std::string::npos)
        << point_key(point);
  }
  EXPECT_EQ(num_layers, 5);
}

TEST_F(GpuBenchOnAStandIn, SkipsPointsThatDoNotFit) {
  // The largest copy has 2 GB at both ends, and buffers beside them.
  stand_in_gpu().free_bytes = stand_in_gpu().total_bytes = 3'000'000'000;
  const auto points = make_cuda_measure(spec().plan, nullptr)->choose(spec().plan);
  const auto large = std::ranges::find_if(points, [](const OperatorPoint& point) {
    return point.op == MeasuredOperator::kCopy && point.sizes[0] == 2'000'000'000;
  });
  most_points_ = static_cast<int>(large - points.begin()) + 1;
  const MeasureResult result = measure_machine(spec());
  ASSERT_EQ(result.skipped.size(), 1U);
  EXPECT_EQ(result.skipped[0].find("copy,float32,bytes=2000000000"), 0U);
  EXPECT_NE(result.skipped[0].find("this GPU has 3.0 GB"), std::string::npos);
  EXPECT_EQ(static_cast<int>(result.done), most_points_ - 1);
  EXPECT_NE(content().find("\nlaunch,float32,"), std::string::npos);
}

TEST_F(GpuBenchOnAStandIn, TimesALayerForwardAndBack) {
  const auto bench = make_cuda_measure({.ranks = 1}, nullptr);
  OperatorPoint layer{.op = MeasuredOperator::kLayerForwardBackward,
                      .is_bfloat16 = true,
                      .sizes = {64, 32, 48, 4, 2, 1, 1, 1},
                      .activation = Activation::kSwiglu,
                      .role = PointRole::kLayer};
  for (const double skew : {0.0, 1.2}) {
    layer.skew = skew;
    const QuietSamples samples = bench->time(layer);
    EXPECT_GE(samples.second.repeats, 5);  // at least half of what is wanted
    EXPECT_GT(samples.first.median_s, 0.0);
    EXPECT_GT(samples.second.median_s, samples.first.median_s);  // forward is the first part
  }
}

TEST_F(GpuBenchOnAStandIn, OutlivesMemoryThatIsRefused) {
  const auto bench = make_cuda_measure({.ranks = 1}, nullptr);
  stand_in_gpu().largest_allocation = 100'000'000;
  // From and to, 100 MB each.
  const OperatorPoint large{.op = MeasuredOperator::kCopy, .sizes = {100'000'000}};
  try {
    static_cast<void>(bench->time(large));
    FAIL() << "it was measured";
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kAllocation);
  }
  EXPECT_TRUE(bench->is_usable());
  const OperatorPoint small{.op = MeasuredOperator::kCopy, .sizes = {1'000'000}};
  EXPECT_GT(bench->time(small).second.median_s, 0.0);
  stand_in_gpu().largest_allocation = 200'000'000;
  EXPECT_GT(bench->time(large).second.median_s, 0.0);
}

TEST_F(GpuBenchOnAStandIn, SustainsEachClassThatHasACudaKernel) {
  const SustainedResult result = measure_sustained({.device = MeasureDevice::kCuda,
                                                    .plan = {.ranks = 1},
                                                    .seconds = 0.1,
                                                    .file = file_,
                                                    .software = "test"});
  std::set<std::string> names;
  for (const auto& [name, rate] : result.rates) names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"grouped", "memory", "product_bfloat16", "product_float32"}));
  EXPECT_EQ(content().find("# switchyard sustained 1\n# backend: cuda\n"), 0U);
}

TEST_F(GpuBenchOnAStandIn, SaysThatThereIsNoGpu) {
  stand_in_gpu().count = 0;
  stand_in_gpu().count_status = cudaErrorNoDevice;
  EXPECT_NE(refusal().find("no GPU was found; run on a node with one"), std::string::npos);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(GpuBenchOnAStandIn, SaysThatTheDriverIsTooOld) {
  stand_in_gpu().count_status = cudaErrorInsufficientDriver;
  stand_in_gpu().driver = 12020;
  const std::string message = refusal();
  EXPECT_NE(message.find("the driver is too old: it has CUDA 12.2, this build needs 13."),
            std::string::npos)
      << message;
  stand_in_gpu().driver = 0;
  EXPECT_NE(refusal().find("no driver of NVIDIA was found; run on a node"), std::string::npos);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(GpuBenchOnAStandIn, SaysThatTooLittleMemoryIsFree) {
  stand_in_gpu().free_bytes = 1'200'000'000;
  EXPECT_NE(refusal().find("too little memory: 1.2 GB of 8.0 GB are free"), std::string::npos);
  EXPECT_FALSE(fs::exists(file_));
}

}  // namespace
}  // namespace switchyard::kernels
