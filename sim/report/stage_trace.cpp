#include "sim/report/stage_trace.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "sim/report/trace.hpp"

namespace switchyard {
namespace {

constexpr int kPassesThread = 0;

std::string of_chunk(int microbatch, int chunk, const PipelineSchedule& schedule) {
  return schedule.chunks_per_stage == 1 ? fmt::format("{}", microbatch)
                                        : fmt::format("{} chunk {}", microbatch, chunk);
}

std::string label_of(const PipelinePass& pass, const PipelineSchedule& schedule) {
  const std::string own = of_chunk(pass.microbatch, pass.chunk, schedule);
  if (pass.kind == PassKind::kForwardAndBackward)
    return fmt::format(
        R"("name":"forward {}, backward {}","cat":"pass","args":{{"microbatch":{},"chunk":{},)"
        R"("backward_microbatch":{},"backward_chunk":{}}})",
        own, of_chunk(pass.paired_microbatch, pass.paired_chunk, schedule), pass.microbatch,
        pass.chunk, pass.paired_microbatch, pass.paired_chunk);
  return fmt::format(R"("name":"{} {}","cat":"pass","args":{{"microbatch":{},"chunk":{}}})",
                     pass_kind_name(pass.kind), own, pass.microbatch, pass.chunk);
}

/// The classes and their total, each where it changes; nothing after `last`.
void write_memory(const std::vector<MemoryPoint>& history, Seconds last, int process,
                  TraceEvents& events) {
  std::array<std::optional<Bytes>, kMemoryClasses.size() + 1> written;
  for (const MemoryPoint& point : history) {
    if (last < point.date) return;
    const auto write = [&](std::size_t which, const char* name, Bytes bytes) {
      if (written.at(which) == bytes) return;
      written.at(which) = bytes;
      events.counter(process, trace_nanoseconds(point.date), fmt::format("{}_bytes", name), bytes);
    };
    for (std::size_t i = 0; i < kMemoryClasses.size(); ++i)
      write(i, kMemoryClasses.at(i).name, point.held.*kMemoryClasses.at(i).bytes);
    write(kMemoryClasses.size(), "total", point.held.total());
  }
}

/// Returns when the last pass that is shown ends.
Seconds write_passes(const TrainingResult& result, std::size_t stage, int process,
                     TraceEvents& events) {
  const PipelineResult& pipeline = *result.pipeline;
  const std::vector<PipelinePass>& passes = pipeline.schedule.of_stage.at(stage);
  const std::vector<PassSpan>& spans = pipeline.run.spans.at(stage);
  const std::size_t shown = shown_passes(pipeline, stage);
  events.metadata(process, kPassesThread, "thread_name", R"("name":"passes")");
  for (std::size_t i = 0; i < shown; ++i)
    events.slice(process, kPassesThread, trace_nanoseconds(spans[i].start),
                 trace_nanoseconds(spans[i].end), label_of(passes[i], pipeline.schedule));
  if (shown < passes.size()) return spans[shown - 1].end;
  events.slice(process, kPassesThread, trace_nanoseconds(pipeline.run.makespan),
               trace_nanoseconds(result.step_time),
               R"("name":"gradients and update","cat":"update")");
  return result.step_time;
}

}  // namespace

std::size_t shown_passes(const PipelineResult& pipeline, std::size_t stage) {
  const std::size_t stages = pipeline.schedule.of_stage.size();
  return std::min(pipeline.schedule.of_stage.at(stage).size(),
                  std::max<std::size_t>(kMaxTracedSpans / stages, 1));
}

void write_stages(const TrainingResult& result, int first_process, TraceEvents& events) {
  for (std::size_t stage = 0; stage < result.memory_over_time.size(); ++stage) {
    const int process = first_process + static_cast<int>(stage);
    events.name_process(process, result.pipeline
                                     ? fmt::format("stage {}: whole step, fullest rank", stage)
                                     : std::string{"fullest rank"});
    const Seconds last =
        result.pipeline ? write_passes(result, stage, process, events) : result.timeline.makespan;
    write_memory(result.memory_over_time[stage], last, process, events);
  }
}

}  // namespace switchyard
