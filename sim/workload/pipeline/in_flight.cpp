#include "sim/workload/pipeline/in_flight.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include <fmt/ranges.h>

#include "sim/core/error.hpp"
#include "sim/workload/pipeline/pass_order.hpp"

namespace switchyard {

std::optional<int> filled_chunk(const PipelinePass& pass) {
  switch (pass.kind) {
    case PassKind::kForward:
    case PassKind::kForwardAndBackward:
      return pass.chunk;
    case PassKind::kBackward:
    case PassKind::kInputGradient:
    case PassKind::kWeightGradient:
      break;
  }
  return std::nullopt;
}

std::optional<int> freed_chunk(const PipelinePass& pass) {
  switch (pass.kind) {
    case PassKind::kBackward:
    case PassKind::kWeightGradient:
      return pass.chunk;
    case PassKind::kForwardAndBackward:
      return pass.paired_chunk;
    case PassKind::kForward:
    case PassKind::kInputGradient:
      break;
  }
  return std::nullopt;
}

PeakInFlight peak_in_flight(const PipelineSchedule& schedule, int stage) {
  const auto num_chunks = static_cast<std::size_t>(schedule.chunks_per_stage);
  PeakInFlight peak{.total = 0,
                    .of_chunk = std::vector<int>(num_chunks, 0),
                    .at_peak = std::vector<int>(num_chunks, 0)};
  std::vector<int> alive(num_chunks, 0);
  int total = 0;
  for (const PipelinePass& pass : schedule.of_stage.at(static_cast<std::size_t>(stage))) {
    if (const auto chunk = filled_chunk(pass)) {
      const auto c = static_cast<std::size_t>(*chunk);
      peak.of_chunk[c] = std::max(peak.of_chunk[c], ++alive[c]);
      if (++total > peak.total) {
        peak.total = total;
        peak.at_peak = alive;
      }
    }
    if (const auto chunk = freed_chunk(pass)) {
      --alive[static_cast<std::size_t>(*chunk)];
      --total;
    }
  }
  return peak;
}

std::vector<int> alive_at_peak(const PipelineSchedule& schedule, int stage,
                               std::span<const double> of_chunk) {
  SWITCHYARD_CHECK(of_chunk.size() == static_cast<std::size_t>(schedule.chunks_per_stage),
                   "{} sizes of {} chunks", of_chunk.size(), schedule.chunks_per_stage);
  std::vector<int> alive(of_chunk.size(), 0);
  std::vector<int> at_peak = alive;
  double peak = 0;
  for (const PipelinePass& pass : schedule.of_stage.at(static_cast<std::size_t>(stage))) {
    if (const auto chunk = filled_chunk(pass)) ++alive[static_cast<std::size_t>(*chunk)];
    const double held = std::inner_product(alive.begin(), alive.end(), of_chunk.begin(), 0.0);
    if (held > peak) {
      peak = held;
      at_peak = alive;
    }
    if (const auto chunk = freed_chunk(pass)) --alive[static_cast<std::size_t>(*chunk)];
  }
  return at_peak;
}

int ideal_peak_in_flight(const PipelineSpec& spec, int stage) {
  const std::vector<std::string> problems = pipeline_problems(spec);
  SWITCHYARD_CHECK(problems.empty(), "{}", fmt::join(problems, "; "));
  SWITCHYARD_CHECK(0 <= stage && stage < spec.num_stages, "stage {} of {}", stage, spec.num_stages);
  switch (spec.kind) {
    case PipelineScheduleKind::kGpipe:
      return spec.num_microbatches;
    case PipelineScheduleKind::kOneForwardOneBackward:
      return std::min(spec.num_microbatches, spec.num_stages - stage);
    case PipelineScheduleKind::kInterleaved:
      return std::min(spec.num_microbatches * spec.chunks_per_stage,
                      interleaved_warmup(spec, stage) + 1);
    case PipelineScheduleKind::kZeroBubble:
      return std::min(spec.num_microbatches, spec.num_stages);
    case PipelineScheduleKind::kDualPipe:
      return spec.num_stages + 1;
  }
  return 0;
}

}  // namespace switchyard
