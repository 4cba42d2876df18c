#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace switchyard::kernels {

/// The parts of a step of one layer. What all-to-alls and tensor all-reduces take is counted where
/// they run, beside the experts' products when there is more than one chunk; the computing thread
/// waits for them in kWait and kWaitBackward, all of their time with one chunk.
enum class Phase {
  kRouter,
  kPlan,
  kPermute,
  kCounts,  ///< counts of rows, and whether all ranks are well
  kDispatch,
  kSort,  ///< rows of all sources into the order of experts, and back
  kExperts,
  kTensorAllReduce,
  kReturn,  ///< the all-to-all of combine
  kWait,
  kCombine,
  kCombineBackward,
  kReturnBackward,
  kSortBackward,
  kExpertsBackward,
  kTensorAllReduceBackward,
  kDispatchBackward,
  kWaitBackward,
  kRouterBackward,
  kPermuteBackward,
  kCountsBackward,
  kGradientAllReduce,
};
inline constexpr std::size_t kNumPhases = static_cast<std::size_t>(Phase::kGradientAllReduce) + 1;

/// As in result files, without a unit: "router", "dispatch", "experts_backward", ...
[[nodiscard]] const char* phase_name(Phase phase);

/// What a rank measured; calls add to it.
struct PhaseTimes {
  std::array<double, kNumPhases> seconds = {};
  std::int64_t all_to_all_bytes = 0;           ///< sent to other ranks, rows alone
  std::int64_t tensor_all_reduce_bytes = 0;    ///< sent to other ranks
  std::int64_t gradient_all_reduce_bytes = 0;  ///< sent to other ranks

  double& operator[](Phase phase) { return seconds[static_cast<std::size_t>(phase)]; }
};

/// Runs `work` and adds its time.
template <class Work>
void add_time(double& seconds, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace switchyard::kernels
