#include "sim/engine/moe_phase_times.hpp"

#include <optional>
#include <set>
#include <string>

#include "cost_models/calibration/priced_operator.hpp"
#include "cost_models/collectives.hpp"
#include "sim/workload/node_list.hpp"

namespace switchyard {
namespace {

std::optional<MoePhase> phase_of(OperatorClass operator_class) {
  switch (operator_class) {
    case OperatorClass::kRouter:
      return MoePhase::kRouter;
    case OperatorClass::kDispatch:
      return MoePhase::kDispatch;
    case OperatorClass::kAllToAll:
      return MoePhase::kAllToAll;
    case OperatorClass::kExperts:
      return MoePhase::kExperts;
    case OperatorClass::kAllReduce:
    case OperatorClass::kGather:
      return MoePhase::kTensorSums;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view phase_name(MoePhase phase) {
  switch (phase) {
    case MoePhase::kRouter:
      return "router";
    case MoePhase::kDispatch:
      return "dispatch";
    case MoePhase::kAllToAll:
      return "all-to-all";
    case MoePhase::kExperts:
      return "experts";
    case MoePhase::kTensorSums:
      return "tensor sums";
  }
  return "";
}

MoePhaseTimes moe_phase_times(const TrainingRunSpec& run, std::span<const LayerRows> routing) {
  const bool has_encoder = run.step.model.architecture == Architecture::kEncoderDecoder;
  const std::string stack = has_encoder ? "encoder." : "decoder.";
  const StepGraph graph = build_training_step(resolve_microbatch(run));
  const Topology topology = build_topology(run.system.network);
  const TaskGraph priced = price_step(graph, run.system, topology, 1, routing);
  const auto time_of = [&](const Task& task) {
    return is_collective(task)
               ? schedule_time(priced.schedules[static_cast<std::size_t>(task.schedule)], topology)
               : task.duration;
  };

  MoePhaseTimes times;
  std::set<std::string> layers;
  for (std::size_t i = 0; i < graph.microbatch.size(); ++i) {
    const Task& task = priced.tasks[i];
    const std::size_t block = task.name.find(".moe.");
    if (!task.name.starts_with(stack) || block == std::string::npos) continue;
    layers.insert(task.name.substr(0, block));
    const auto [operator_class, phase] = std::visit(
        [](const auto& node) {
          return std::pair{node.operator_class, node.phase};
        },
        graph.microbatch[i]);
    const std::optional<MoePhase> part = phase_of(operator_class);
    if (!part) continue;
    auto& direction = phase == Phase::kForward ? times.forward : times.backward;
    const Seconds time = time_of(task);
    direction.at(static_cast<std::size_t>(*part)) += time;
    const TimeEvidence& evidence = task.evidence;
    auto& provenance = times.provenance.at(static_cast<std::size_t>(*part));
    provenance = worse(provenance.value_or(evidence.provenance), evidence.provenance);
    const std::size_t side = phase == Phase::kForward ? 0 : 1;
    times.low.at(side) += evidence.low * time;
    times.high.at(side) += evidence.high * time;
    if (*part == MoePhase::kAllToAll) times.all_to_all_sent += task.bytes;
  }
  for (std::size_t i = 0; i < graph.update.size(); ++i) {
    const auto* collective = std::get_if<Collective>(&graph.update[i]);
    if (collective != nullptr && collective->group == MeshGroup::kExpertReplicas)
      times.gradient_sums += time_of(priced.tasks[graph.microbatch.size() + i]);
  }
  times.num_layers = static_cast<int>(layers.size());
  return times;
}

}  // namespace switchyard
