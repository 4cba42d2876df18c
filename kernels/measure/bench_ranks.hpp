#pragma once

#include <memory>
#include <vector>

#include "kernels/measure/cpu_operator.hpp"
#include "kernels/measure/measure_backend.hpp"
#include "kernels/measure/operator_timing.hpp"

namespace switchyard::kernels {

/// The ranks of this machine, their threads and their memory, used point after point.
class BenchRanks final : public MeasureBackend {
 public:
  /// @param world  ranks of MPI, all of which make the same calls; null: threads of this process
  BenchRanks(const MeasurePlan& plan, Communicator* world);

  [[nodiscard]] bool is_disturbed(const OperatorPoint& point) override;
  void expect_reference(int num_ranks, double best_s) override;
  [[nodiscard]] PointsHead head(const std::string& software) const override;
  [[nodiscard]] std::vector<FailedCheck> check() override;
  [[nodiscard]] std::vector<OperatorPoint> choose(const MeasurePlan& plan) override;
  [[nodiscard]] QuietSamples time(const OperatorPoint& point) override;
  void repeat(const OperatorPoint& point,
              const std::function<bool(double seconds)>& goes_on) override;
  [[nodiscard]] MachineState state() override { return monitor_.read(); }

 private:
  [[nodiscard]] std::function<Sample()> make(const OperatorPoint& point, Communicator& ranks);
  void on_ranks(const OperatorPoint& point, const std::function<void(Communicator&)>& body);

  Communicator* world_;
  std::vector<CpuBackend> cpus_;
  std::vector<MeasureMemory> memories_;
  ReferenceProduct reference_;
  std::unique_ptr<Communicator> single_;
  ProcessorMonitor monitor_;
};

}  // namespace switchyard::kernels
