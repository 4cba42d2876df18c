#include "sim/cli/compare/predicted_step.hpp"

#include <algorithm>
#include <numeric>

#include "sim/engine/graph_run.hpp"

namespace switchyard {
namespace {

/// A node of the step that a task was priced from, as far as its class of times goes.
TimeClass class_of(const Task& task, OperatorClass operator_class) {
  if (is_collective(task)) {
    if (operator_class == OperatorClass::kAllToAll) return TimeClass::kAllToAll;
    return operator_class == OperatorClass::kAllReduce ? TimeClass::kAllReduce : TimeClass::kGather;
  }
  Operator op{.name = task.name,
              .operator_class = operator_class,
              .matmul = {},
              .traffic = {},
              .saved = {}};
  op.matmul.batch = task.flop > Flop{} ? 1.0 : 0.0;
  return time_class(op);
}

/// Nodes that are executed for each microbatch; the rest are of the update.
std::size_t num_repeated(const TrainingRunSpec& run, const TaskGraph& tasks) {
  if (run.step.partition.pipeline > 1) return tasks.tasks.size();
  return build_training_step(resolve_microbatch(run)).microbatch.size();
}

}  // namespace

PredictedStep predicted_step(const TrainingRunSpec& run, EngineKind engine) {
  const TrainingResult result = simulate_training(run, engine);
  const RankId rank = busiest_rank(result.tasks, result.timeline.num_ranks);
  const std::size_t repeated = num_repeated(run, result.tasks);
  PredictedStep predicted{.step = result.step_time, .idle = result.idle};
  for (const ClassShare& share : result.breakdown) {
    TimesByClass parts{};
    for (std::size_t i = 0; i < result.tasks.tasks.size(); ++i) {
      const Task& task = result.tasks.tasks[i];
      if (task.category != class_name(share.operator_class)) continue;
      // A class of collectives is one class of times: any length tells it.
      const Seconds time = is_collective(task) ? Seconds{1.0} : compute_time(task, rank);
      const double times = i < repeated ? static_cast<double>(result.num_microbatches) : 1.0;
      parts.at(static_cast<std::size_t>(class_of(task, share.operator_class))) += times * time;
    }
    const Seconds sum = std::accumulate(parts.begin(), parts.end(), Seconds{});
    for (std::size_t c = 0; c < parts.size() && sum > Seconds{}; ++c)
      predicted.times.at(c) += (parts.at(c) / sum) * share.time;
  }
  return predicted;
}

}  // namespace switchyard
