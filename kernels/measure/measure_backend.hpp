#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/comm/communicator.hpp"
#include "kernels/measure/choose_points.hpp"
#include "kernels/measure/machine_state.hpp"
#include "kernels/measure/points_file.hpp"
#include "kernels/measure/quiet_samples.hpp"

namespace switchyard::kernels {

/// An operator whose kernel computes something else than the double reference: it is not timed.
struct FailedCheck {
  MeasuredOperator op = MeasuredOperator::kLaunch;
  bool is_bfloat16 = false;
  std::string message;
};

/// What times points: the cores of a machine, or a GPU. With ranks of MPI all make the same calls.
class MeasureBackend {
 public:
  MeasureBackend() = default;
  virtual ~MeasureBackend() = default;
  MeasureBackend(const MeasureBackend&) = delete;
  MeasureBackend& operator=(const MeasureBackend&) = delete;

  /// What a points file says of the machine and the kernels.
  [[nodiscard]] virtual PointsHead head(const std::string& software) const = 0;

  /// Whether points have a column with the clock beside them.
  [[nodiscard]] virtual bool has_clock() const { return false; }

  /// Compares small shapes with the double reference.
  /// @throws KernelError where nothing can be timed
  [[nodiscard]] virtual std::vector<FailedCheck> check() = 0;

  /// The points of a plan, with the rates of this machine where the plan's are not known.
  [[nodiscard]] virtual std::vector<OperatorPoint> choose(const MeasurePlan& plan) = 0;

  /// Why a point cannot be measured here; empty: it can.
  [[nodiscard]] virtual std::string obstacle(const OperatorPoint& /*point*/) const { return ""; }

  /// Whether the device still answers, after an error.
  [[nodiscard]] virtual bool is_usable() const { return true; }

  /// Whether others work on the machine that the point would run on.
  [[nodiscard]] virtual bool is_disturbed(const OperatorPoint& /*point*/) { return false; }

  /// What the reference product took at best in another run, on that many ranks side by side.
  virtual void expect_reference(int /*num_ranks*/, double /*best_s*/) {}

  /// On rank 0 what was measured; undefined on the others.
  [[nodiscard]] virtual QuietSamples time(const OperatorPoint& point) = 0;

  /// Repeats a point on all of its ranks for as long as `goes_on`, which rank 0 is asked with the
  /// seconds that each repeat took.
  virtual void repeat(const OperatorPoint& point,
                      const std::function<bool(double seconds)>& goes_on) = 0;

  /// Power and clock now.
  [[nodiscard]] virtual MachineState state() { return {}; }
};

/// @param world  ranks of MPI or NCCL; null: this process alone
[[nodiscard]] std::unique_ptr<MeasureBackend> make_cpu_measure(const MeasurePlan& plan,
                                                               Communicator* world);

/// @throws KernelError (kDevice) without CUDA in this build, without a GPU or a driver for it, and
///         where too little of its memory is free: what was found and the way out
[[nodiscard]] std::unique_ptr<MeasureBackend> make_cuda_measure(const MeasurePlan& plan,
                                                                Communicator* world);

}  // namespace switchyard::kernels
