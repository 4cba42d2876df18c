#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/ranks/cpu_rank.hpp"
#include "kernels/run/layer_runner.hpp"

namespace switchyard::kernels {
namespace {

class CpuRunBackend final : public RunBackend {
 public:
  explicit CpuRunBackend(Communicator& ranks) : ranks_{ranks} {}

  [[nodiscard]] std::string name() const override { return "cpu"; }
  [[nodiscard]] std::string processor() const override { return isa_kernels().name; }
  [[nodiscard]] Communicator& ranks() override { return ranks_; }

  [[nodiscard]] std::unique_ptr<RunLayers> make_layers(const RunSpec& spec,
                                                       const RankGroups& groups) override {
    return make_layer_runner<CpuBackend>(
        spec, {spec.layer, groups, CpuBackend{spec.threads}, spec.chunks});
  }

 private:
  Communicator& ranks_;
};

}  // namespace

std::unique_ptr<RunBackend> make_cpu_run_backend(Communicator& ranks) {
  return std::make_unique<CpuRunBackend>(ranks);
}

}  // namespace switchyard::kernels
