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

/// Where an operator's time comes from, and its interval relative to the time.
struct Evidence {
  Provenance provenance = Provenance::kAssumed;
  double low = 1;
  double high = 1;
};

Evidence evidence_of(const Operator& op, const DeviceProfile& device,
                     std::span<const LayerRows> routing) {
  const bool is_drawn = op.routed.rows == RoutedRows::kOfEachExpert && !routing.empty();
  const auto layer = static_cast<std::size_t>(op.routed.moe_layer);
  const auto priced = is_drawn ? priced_experts(op, routing[layer].of_experts.front(), device)
                               : priced_operator(op, device);
  if (!priced)
    return {.provenance = op.matmul.batch > 0.0 ? device.matmul_efficiency.provenance
                                                : device.memory_efficiency.provenance};
  if (priced->time == Seconds{}) return {.provenance = priced->provenance};
  return {.provenance = priced->provenance,
          .low = priced->low / priced->time,
          .high = priced->high / priced->time};
}

/// Of a collective: whether a curve was fitted to its number of ranks and sizes around its own.
Evidence evidence_of(const Collective& collective, const TrainingRunSpec& run) {
  if (!run.system.collectives) return {};
  const CollectiveTimes* times = find_times(*run.system.collectives, collective.kind);
  if (times == nullptr) return {};
  const int ranks = collective.ranks.empty() ? group_size(run.step.partition, collective.group)
                                             : static_cast<int>(collective.ranks.size());
  for (const TimeCurve& curve : times->curves)
    if (curve.ranks == ranks && collective.buffer <= curve.sizes.back())
      return {.provenance = Provenance::kFitted};
  return {.provenance = Provenance::kExtrapolated};
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
    const auto* op = std::get_if<Operator>(&graph.microbatch[i]);
    const Evidence evidence = op != nullptr
                                  ? evidence_of(*op, run.system.device, routing)
                                  : evidence_of(std::get<Collective>(graph.microbatch[i]), run);
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
