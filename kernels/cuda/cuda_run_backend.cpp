#include "kernels/cuda/cuda_rank.hpp"
#include "kernels/cuda/device_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/layer_runner.hpp"

namespace switchyard::kernels {
namespace {

class CudaRunBackend final : public RunBackend {
 public:
  explicit CudaRunBackend(Communicator& ranks)
      : device_{num_gpus() == 0 ? 0 : ranks.rank() % num_gpus()},
        ranks_{make_device_communicator(ranks, device_)} {}

  [[nodiscard]] std::string name() const override { return "cuda"; }
  [[nodiscard]] std::string processor() const override {
    return cuda_ == nullptr ? "" : cuda_->device().name;
  }
  [[nodiscard]] Communicator& ranks() override { return *ranks_; }

  [[nodiscard]] std::unique_ptr<RunLayers> make_layers(const RunSpec& spec,
                                                       const RankGroups& groups) override {
    if (num_gpus() == 0) throw KernelError{Fault::kDevice, "backend: expected a GPU, found none"};
    cuda_ = std::make_unique<CudaBackend>(device_);
    return make_layer_runner<CudaBackend>(spec, {spec.layer, groups, *cuda_, spec.chunks});
  }

 private:
  int device_;
  std::unique_ptr<Communicator> ranks_;
  std::unique_ptr<CudaBackend> cuda_;
};

}  // namespace

bool has_cuda() { return true; }

int num_gpus() { return num_cuda_devices(); }

std::unique_ptr<RunBackend> make_cuda_run_backend(Communicator& ranks) {
  return std::make_unique<CudaRunBackend>(ranks);
}

}  // namespace switchyard::kernels
