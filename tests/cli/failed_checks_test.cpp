// `calibrate` of a GPU that is made up: one kernel fails its check, the others have the times of a
// form.

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

#include "kernels/measure/measure_backend.hpp"
#include "sim/cli/commands.hpp"
#include "sim/core/error.hpp"
#include "tests/cli/program_run.hpp"
#include "tests/cost_models/synthetic_points.hpp"

namespace switchyard {
namespace {

using testing::HasSubstr;
using testing::Not;

class MadeUpGpu final : public kernels::MeasureBackend {
 public:
  [[nodiscard]] kernels::PointsHead head(const std::string& software) const override {
    return {{"backend", "cuda"}, {"device", "Made-up GPU"}, {"software", software}, {"cores", "1"},
            {"gpus", "1"},       {"started", "now"}};
  }
  [[nodiscard]] std::vector<kernels::FailedCheck> check() override {
    return {{.op = kernels::MeasuredOperator::kPermute, .message = "off by 0.5"}};
  }
  [[nodiscard]] std::vector<kernels::OperatorPoint> choose(const kernels::MeasurePlan&) override {
    std::vector<kernels::OperatorPoint> points{
        {.op = kernels::MeasuredOperator::kPermute, .sizes = {64, 64}}};
    for (const KernelPoint& product : made_up_products(30, 0.01, 2))
      points.push_back({.op = kernels::MeasuredOperator::kGemm,
                        .sizes = product.call.sizes,
                        .role = product.role == PointRole::kFit ? kernels::PointRole::kFit
                                                                : kernels::PointRole::kHeldOut});
    return points;
  }
  [[nodiscard]] kernels::QuietSamples time(const kernels::OperatorPoint& point) override {
    const KernelCall call{.kind = KernelKind::kGemm, .sizes = point.sizes};
    const double s = kernel_time(kernel_work(call, {}), 0, made_up_constants()).base();
    const kernels::PointTiming timing{.repeats = 10, .median_s = s, .p10_s = s, .p90_s = s};
    return {.first = timing, .second = timing, .reference_s = 0.01};
  }
  void repeat(const kernels::OperatorPoint&, const std::function<bool(double)>&) override {}
};

class CalibrateWithAFailedCheck : public ProgramTest {};

TEST_F(CalibrateWithAFailedCheck, WritesTheRestAndNamesIt) {
  CLI::App program;
  add_calibrate(program);
  const std::string out = (folder() / "out").string();
  std::string message;
  try {
    program.parse("calibrate --backend cuda --budget 5s --quiet --name gpu --out " + out);
  } catch (const ConfigError& error) {  // exit status 2
    message = error.what();
  }
  EXPECT_EQ(message,
            "kernels that failed their check were not timed, and the profile is without them:\n"
            "  permute (float32): off by 0.5");
  const std::string profile = file_text(folder() / "out" / "gpu.yaml");
  EXPECT_THAT(profile, HasSubstr("operator: gemm"));
  EXPECT_THAT(profile, Not(HasSubstr("operator: permute")));
}

}  // namespace
}  // namespace switchyard

/// Instead of the library's.
std::unique_ptr<switchyard::kernels::MeasureBackend> switchyard::kernels::make_cuda_measure(
    const MeasurePlan& /*plan*/, Communicator* /*world*/) {
  return std::make_unique<switchyard::MadeUpGpu>();
}
