#pragma once

#include <memory>
#include <string>

#include "kernels/ranks/phases.hpp"
#include "kernels/ranks/rank_groups.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {

/// One step of one rank.
struct StepTimes {
  PhaseTimes phases;
  double forward_s = 0.0;
  double backward_s = 0.0;
  double step_s = 0.0;
};

/// The layers of a run on one rank. All ranks call it together.
class RunLayers {
 public:
  RunLayers() = default;
  virtual ~RunLayers() = default;
  RunLayers(const RunLayers&) = delete;
  RunLayers& operator=(const RunLayers&) = delete;

  [[nodiscard]] virtual StepTimes step(int number) = 0;

  /// @throws KernelError (kSpec) unless the last step's choices are those of the run's trace
  virtual void check_choices() = 0;

  /// @throws KernelError (kNotFinite) for a NaN or Inf in the last step's outputs
  virtual void check_outputs() = 0;

  /// Adds up what the last step did.
  virtual void count(RunMeasurement& measurement) = 0;
};

/// What computes a run's layers on this rank.
class RunBackend {
 public:
  RunBackend() = default;
  virtual ~RunBackend() = default;
  RunBackend(const RunBackend&) = delete;
  RunBackend& operator=(const RunBackend&) = delete;

  [[nodiscard]] virtual std::string name() const = 0;  ///< cpu or cuda
  /// Instruction set of the CPU's kernels, or the GPU; known once there are layers.
  [[nodiscard]] virtual std::string processor() const = 0;

  /// All ranks, over which the backend's memory is exchanged.
  [[nodiscard]] virtual Communicator& ranks() = 0;

  /// Draws weights and tokens; needs no other rank. Borrows its arguments and the backend.
  /// @param groups  of ranks()
  [[nodiscard]] virtual std::unique_ptr<RunLayers> make_layers(const RunSpec& spec,
                                                               const RankGroups& groups) = 0;
};

/// Borrows the ranks, as the following.
[[nodiscard]] std::unique_ptr<RunBackend> make_cpu_run_backend(Communicator& ranks);

/// Whether this build has the CUDA backend, and GPUs that this process sees.
[[nodiscard]] bool has_cuda();
[[nodiscard]] int num_gpus();

/// Rank r takes GPU r modulo num_gpus(); ranks may share one. Without a GPU make_layers throws.
/// @throws KernelError (kDevice) where CUDA is not built.
[[nodiscard]] std::unique_ptr<RunBackend> make_cuda_run_backend(Communicator& ranks);

}  // namespace switchyard::kernels
