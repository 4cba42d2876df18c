#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "sim/workload/pipeline/pipeline_schedule.hpp"

namespace switchyard {
namespace {

constexpr std::int64_t kMaxPasses = 1 << 26;  // 1.3 GB of passes

/// "8 or 12": the multiples of `step` next to `count` that are at least `least`, itself a multiple.
std::string nearest_multiples(int count, int step, int least) {
  if (count < least) return fmt::format("{}", least);
  const int below = count / step * step;
  if (below < least) return fmt::format("{}", below + step);
  return fmt::format("{} or {}", below, below + step);
}

void check_counts(const PipelineSpec& spec, std::vector<std::string>& problems) {
  if (spec.num_stages < 1)
    problems.push_back(fmt::format("at least 1 stage, given {}", spec.num_stages));
  if (spec.num_microbatches < 1)
    problems.push_back(fmt::format("at least 1 microbatch, given {}", spec.num_microbatches));
  if (spec.chunks_per_stage < 1)
    problems.push_back(fmt::format("at least 1 chunk a stage, given {}", spec.chunks_per_stage));
  if (!problems.empty()) return;
  // Each factor is below 2^31, so a product of two cannot overflow.
  const std::int64_t places = std::int64_t{spec.num_stages} * spec.chunks_per_stage;
  if (places > kMaxPasses || places * spec.num_microbatches > kMaxPasses)
    problems.push_back(
        fmt::format("at most {} microbatches times chunks times stages, given {} times {} times {}",
                    kMaxPasses, spec.num_microbatches, spec.chunks_per_stage, spec.num_stages));
}

void check_chunks(const PipelineSpec& spec, std::vector<std::string>& problems) {
  const char* name = pipeline_schedule_name(spec.kind);
  if (spec.kind == PipelineScheduleKind::kInterleaved) {
    if (spec.chunks_per_stage < 2)
      problems.push_back(fmt::format("{}: at least 2 chunks a stage, given {}; with 1 it is 1f1b",
                                     name, spec.chunks_per_stage));
    return;
  }
  const int chunks = spec.kind == PipelineScheduleKind::kDualPipe ? 2 : 1;
  if (spec.chunks_per_stage != chunks)
    problems.push_back(fmt::format("{}: {} chunk{} a stage, given {}{}", name, chunks,
                                   chunks == 1 ? "" : "s", spec.chunks_per_stage,
                                   chunks == 1 ? "; interleaved takes more" : ""));
}

void check_microbatches(const PipelineSpec& spec, std::vector<std::string>& problems) {
  const int stages = spec.num_stages;
  const int given = spec.num_microbatches;
  if (spec.kind == PipelineScheduleKind::kInterleaved && given % stages != 0)
    problems.push_back(
        fmt::format("interleaved: microbatches a multiple of the {} stages, given {}; nearest: {}",
                    stages, given, nearest_multiples(given, stages, stages)));
  if (spec.kind != PipelineScheduleKind::kDualPipe) return;
  if (stages % 2 != 0) {
    problems.push_back(fmt::format("dualpipe: an even number of stages, given {}; nearest: {}",
                                   stages, nearest_multiples(stages, 2, 2)));
  } else if (given % 2 != 0 || given < 2 * stages) {
    problems.push_back(
        fmt::format("dualpipe: an even number of microbatches, at least {} (two a stage), given "
                    "{}; nearest: {}; set batch.sequences or batch.microbatch_sequences",
                    2 * stages, given, nearest_multiples(given, 2, 2 * stages)));
  }
}

}  // namespace

std::vector<std::string> pipeline_problems(const PipelineSpec& spec) {
  std::vector<std::string> problems;
  check_counts(spec, problems);
  if (!problems.empty()) return problems;
  check_chunks(spec, problems);
  check_microbatches(spec, problems);
  if (spec.overlap_passes && spec.kind != PipelineScheduleKind::kInterleaved)
    problems.push_back(
        fmt::format("{}: no choice of overlapping passes; dualpipe always does, interleaved can",
                    pipeline_schedule_name(spec.kind)));
  return problems;
}

}  // namespace switchyard
