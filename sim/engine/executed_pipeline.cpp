#include "sim/engine/executed_pipeline.hpp"

#include <algorithm>
#include <utility>

namespace switchyard {

Seconds update_time(const PipelineSchedule& schedule, int stage, const ExecutedPipeline& executed) {
  Seconds time;
  for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk) {
    const auto position = static_cast<std::size_t>(position_of(schedule, stage, chunk));
    time += executed.positions.at(position).update;
  }
  return time;
}

namespace {

/// The longest update of any stage, without one class.
Seconds update_without(const PipelineSchedule& schedule, const ExecutedPipeline& executed,
                       OperatorClass without) {
  Seconds longest;
  for (int stage = 0; stage < schedule.num_stages; ++stage) {
    Seconds update = update_time(schedule, stage, executed);
    for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk)
      update -= executed.positions.at(static_cast<std::size_t>(position_of(schedule, stage, chunk)))
                    .after.at(static_cast<std::size_t>(without))
                    .time;
    longest = std::max(longest, update);
  }
  return longest;
}

/// What each class would save if it took no time in any pass or update.
void add_savings(const TrainingRunSpec& run, const TrainingStepSpec& step,
                 const PipelineSchedule& schedule, const ExecutedPipeline& executed,
                 std::vector<ClassShare>& shares) {
  for (ClassShare& share : shares) {
    PipelineTimes times = pipeline_times(step, schedule, executed.positions, share.operator_class);
    times.hops = executed.times.hops;
    share.saved_if_free = executed.step_time -
                          simulate_pipeline(schedule, times, run.stragglers).makespan -
                          update_without(schedule, executed, share.operator_class);
  }
}

/// What launches that take no time would save in the passes.
Seconds saved_by_launches(const TrainingRunSpec& run, const PipelineSchedule& schedule,
                          const ExecutedPipeline& executed) {
  if (run.system.device.host_launch.value == Seconds{}) return {};
  PipelineTimes times = executed.times;
  for (int stage = 0; stage < schedule.num_stages; ++stage)
    for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk) {
      const auto position = static_cast<std::size_t>(position_of(schedule, stage, chunk));
      const PipelineChunk& at = executed.positions.at(position);
      PassTimes& pass =
          times.passes[static_cast<std::size_t>(stage)][static_cast<std::size_t>(chunk)];
      pass.forward -= at.launch_wait_forward;
      const Seconds backward = pass.backward();
      if (backward == Seconds{}) continue;
      const double left = std::max(Seconds{}, backward - at.launch_wait_backward) / backward;
      pass.input_gradient = left * pass.input_gradient;
      pass.weight_gradient = left * pass.weight_gradient;
    }
  times.pairs.clear();
  if (!executed.times.pairs.empty() && schedule.kind == PipelineScheduleKind::kDualPipe)
    return {};  // pairs of passes have times of their own
  return executed.run.makespan - simulate_pipeline(schedule, times, run.stragglers).makespan;
}

/// Makes the shares of a stage's passes add up to the time that it was busy with them, less what
/// it waited for launches: what pairs of passes saved is communication that was hidden, what
/// stragglers added slows every class.
/// @param planned  time of all passes, one by one, without stragglers
void fit_to_busy_time(Seconds busy, Seconds planned, ClassShares& shares) {
  Seconds sum;
  Seconds communication;
  for (const ClassShare& share : shares) {
    sum += share.time;
    if (share.sent > Bytes{}) communication += share.time;
  }
  if (sum == Seconds{}) return;
  const Seconds waits = std::max(Seconds{}, planned - sum);  // within passes, for launches
  const Seconds saved = std::min(communication, sum + waits - busy);
  for (ClassShare& share : shares) {
    if (saved > Seconds{} && share.sent > Bytes{}) {
      const Seconds hidden = (saved / communication) * share.time;
      set_time(share, share.time - hidden);
      share.hidden += hidden;
    } else if (saved < Seconds{}) {
      set_time(share, (busy / (sum + waits)) * share.time);
    }
  }
}

}  // namespace

void add_stage(const TrainingRunSpec& run, const TrainingStepSpec& step,
               const PipelineSchedule& schedule, ExecutedPipeline executed,
               TrainingResult& result) {
  const auto busiest = std::ranges::max_element(executed.run.stages, {}, &StageRun::busy);
  const auto stage = static_cast<int>(busiest - executed.run.stages.begin());
  ClassShares shares{};
  std::size_t shown = 0;
  const bool is_dual = schedule.kind == PipelineScheduleKind::kDualPipe;
  const double microbatches = schedule.num_microbatches / (is_dual ? 2.0 : 1.0);
  Seconds planned;
  for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk) {
    shown = static_cast<std::size_t>(position_of(schedule, stage, chunk));
    add_shares(executed.positions.at(shown).forward, microbatches, shares);
    add_shares(executed.positions.at(shown).backward, microbatches, shares);
    const PassTimes& times = executed.positions.at(shown).times;
    planned += microbatches * (times.forward + times.backward());
  }
  fit_to_busy_time(busiest->busy, planned, shares);
  for (int chunk = 0; chunk < schedule.chunks_per_stage; ++chunk)
    add_shares(
        executed.positions.at(static_cast<std::size_t>(position_of(schedule, stage, chunk))).after,
        1.0, shares);
  result.breakdown = shares_that_occur(shares);
  add_savings(run, step, schedule, executed, result.breakdown);
  result.saved_by_launches = saved_by_launches(run, schedule, executed);
  Seconds busy;
  for (const ClassShare& share : result.breakdown) busy += share.time;
  result.idle = std::max(Seconds{}, result.step_time - busy);
  for (const ClassShare& share : result.breakdown)
    if (share.operator_class == OperatorClass::kAllToAll) result.all_to_all_sent = share.sent;
  PipelineChunk& last = executed.positions.chunks[executed.positions.of_position[shown]];
  result.microbatch_time = last.times.forward + last.times.backward();
  result.tasks = std::move(last.tasks);
  result.num_microbatch_tasks = last.graph.microbatch.size();
  result.timeline = std::move(last.timeline);
}

}  // namespace switchyard
