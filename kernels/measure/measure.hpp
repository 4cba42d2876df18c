#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "kernels/measure/choose_points.hpp"

namespace switchyard::kernels {

/// Whose kernels are measured.
enum class MeasureDevice { kCpu, kCuda };

/// What is being measured, for a progress bar.
struct MeasureProgress {
  std::size_t done = 0;  ///< points times passes, of the first two passes
  std::size_t total = 0;
  double elapsed_s = 0.0;
  double budget_s = 0.0;
  std::string point;  ///< key of the point that is next
};

/// A measurement of this machine.
struct MeasureSpec {
  MeasureDevice device = MeasureDevice::kCpu;
  MeasurePlan plan = {};
  std::string file = {};      ///< of points; one that exists is gone on with
  std::string software = {};  ///< named in the file
  std::function<void(const MeasureProgress&)> progress = {};  ///< may be empty
  const std::atomic<bool>* is_stopped = nullptr;              ///< looked at between points
};

struct MeasureResult {
  std::size_t done = 0;  ///< points times passes, of the first two passes
  std::size_t total = 0;
  bool was_stopped = false;  ///< on the rank that writes
  bool ran_out_of_time = false;
  double drift = 0.0;            ///< p90 over p10 of the reference products, less 1
  double disturbed_share = 0.0;  ///< of the lines written: measured while the machine was slow
  std::vector<std::string> failed_checks;  ///< kernels that are off, and were not timed
  std::vector<std::string> skipped;        ///< points that do not fit, and why
};

/// @throws KernelError (kDevice) where that device cannot be measured, before anything is written:
///         see make_cuda_measure()
void require_measurable(MeasureDevice device);

/// Times the points of the plan in two passes, the second in opposite order, and writes each to the
/// file as soon as it is measured, with the reference products beside it (see take_samples()).
/// Passes 2 and up measure points again that were disturbed, while the budget lasts.
/// The kernels are checked and the plan's rates measured first: wrong kernels are not timed, nor
/// are points whose memory this device does not have.
///
/// The first pass ends after 0.5 of the budget at the latest, the second after 0.9.
/// With Transport::kMpi or kNccl all ranks must call it; rank 0 decides and writes.
/// @throws KernelError; what was measured stays in the file
[[nodiscard]] MeasureResult measure_machine(MeasureSpec spec);

}  // namespace switchyard::kernels
