#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sim/workload/pipeline/pipeline_schedule.hpp"

namespace switchyard {

// Activations of a microbatch in a chunk are alive from the start of the forward pass to the end
// of the pass that makes the weight gradients, which reads them last.

/// The chunk whose activations of one microbatch more are alive from the start of `pass` on.
[[nodiscard]] std::optional<int> filled_chunk(const PipelinePass& pass);

/// The chunk whose activations of one microbatch are dead from the end of `pass` on.
[[nodiscard]] std::optional<int> freed_chunk(const PipelinePass& pass);

/// The most microbatches whose activations a stage holds at once.
struct PeakInFlight {
  int total = 0;              ///< of all chunks together: microbatches times chunks
  std::vector<int> of_chunk;  ///< of each by itself; their peaks need not coincide
  std::vector<int> at_peak;   ///< by chunk, when the total is first reached
};

/// Depends on the order alone, as a stage runs one pass at a time.
[[nodiscard]] PeakInFlight peak_in_flight(const PipelineSchedule& schedule, int stage);

/// Microbatches alive by chunk when what they hold is largest, the first of equal times.
/// @param of_chunk  what one microbatch holds in each chunk; in any unit
[[nodiscard]] std::vector<int> alive_at_peak(const PipelineSchedule& schedule, int stage,
                                             std::span<const double> of_chunk);

/// The total of peak_in_flight() in closed form, with p stages, stage s, m microbatches and v
/// chunks:
///
///   gpipe         m
///   1f1b          min(m, p - s)
///   interleaved   min(m v, 2 (p - 1 - s) + (v - 1) p + 1), one more with overlapped passes
///   zero-bubble   min(m, p), as the weight gradients put off keep activations alive
///   dualpipe      p + 1
///
/// Precondition: pipeline_problems(spec) is empty, 0 <= stage < p (checked).
/// Source: the orders of PipelineScheduleKind; Qi et al., ICLR 2024, section 2 (ZB-H1);
/// DeepSeek-AI,
///         arXiv:2412.19437, section 3.2.1 (DualPipe).
[[nodiscard]] int ideal_peak_in_flight(const PipelineSpec& spec, int stage);

}  // namespace switchyard
