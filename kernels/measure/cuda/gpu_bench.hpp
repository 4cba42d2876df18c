#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/measure/cuda/device_memory.hpp"
#include "kernels/measure/measure_backend.hpp"
#include "kernels/measure/nvml.hpp"

namespace switchyard::kernels {

/// One GPU, its memory and its reference product, used point after point.
class GpuBench final : public MeasureBackend {
 public:
  /// @param world  ranks, each with a GPU, over NCCL; null: this process alone
  /// @throws as require_gpu()
  GpuBench(const MeasurePlan& plan, Communicator* world);

  [[nodiscard]] PointsHead head(const std::string& software) const override;
  [[nodiscard]] bool has_clock() const override { return true; }
  [[nodiscard]] std::vector<FailedCheck> check() override;
  [[nodiscard]] std::vector<OperatorPoint> choose(const MeasurePlan& plan) override;
  [[nodiscard]] std::string obstacle(const OperatorPoint& point) const override;
  [[nodiscard]] bool is_usable() const override;
  [[nodiscard]] QuietSamples time(const OperatorPoint& point) override;
  void repeat(const OperatorPoint& point,
              const std::function<bool(double seconds)>& goes_on) override;
  [[nodiscard]] MachineState state() override { return nvml_.read(); }

 private:
  [[nodiscard]] std::function<Sample()> make(const OperatorPoint& point);
  [[nodiscard]] Communicator& ranks() { return world_ != nullptr ? *world_ : *single_; }

  Communicator* world_;
  int ordinal_;
  CudaBackend cuda_;
  DeviceMemory memory_;
  Nvml nvml_;
  std::unique_ptr<Communicator> single_;
  ReferenceProduct reference_;
};

}  // namespace switchyard::kernels
