#include "sim/cli/read_partition.hpp"

#include <algorithm>
#include <numeric>

#include "sim/engine/pipelined_training.hpp"

namespace switchyard {
namespace {

constexpr IntegerRange kAxis{1, 65'536};

/// The paper's pictures, by the axes that they have; none where the file states axes.
enum class Strategy { kAxes, kData, kModel, kModelData, kExpertData, kExpertModelData };

const Choices<MeshAxis> kAxisNames = {{"tensor", MeshAxis::kTensor},
                                      {"sequence", MeshAxis::kSequence},
                                      {"data", MeshAxis::kData},
                                      {"pipeline", MeshAxis::kPipeline}};

Strategy read_strategy(Section& section) {
  return section.optional_choice<Strategy>(
      "strategy",
      "One of the pictures of figure 9 of the Switch Transformer paper instead of axes; those with "
      "model take the degree from tensor.",
      Strategy::kAxes,
      {{"axes", Strategy::kAxes},
       {"data", Strategy::kData},
       {"model", Strategy::kModel},
       {"model+data", Strategy::kModelData},
       {"expert+data", Strategy::kExpertData},
       {"expert+model+data", Strategy::kExpertModelData}});
}

bool has_model(Strategy strategy) {
  return strategy == Strategy::kModelData || strategy == Strategy::kExpertModelData;
}

bool has_experts(Strategy strategy) {
  return strategy == Strategy::kAxes || strategy == Strategy::kExpertData ||
         strategy == Strategy::kExpertModelData;
}

/// The strategy and the keys must not say the same thing twice.
void check_strategy(Strategy strategy, Section& section) {
  if (strategy == Strategy::kAxes) return;
  const auto refuse = [&](const char* key) {
    if (section.has(key)) section.problem(key, "follows from strategy; leave out one of the two");
  };
  for (const char* key : {"data", "expert", "pipeline", "sequence"}) refuse(key);
  if (!has_model(strategy)) refuse("tensor");
  if (has_model(strategy) && !section.has("tensor"))
    section.problem("tensor",
                    "missing; a strategy with model needs the ranks that share weights, "
                    "such as \"tensor: 4\"");
}

Choices<PipelineScheduleKind> pipeline_choices() {
  Choices<PipelineScheduleKind> choices;
  for (const PipelineScheduleKind kind : kPipelineScheduleKinds)
    choices.emplace_back(pipeline_schedule_name(kind), kind);
  return choices;
}

void read_order(Section& section, Partition& partition) {
  const std::vector<MeshAxis> order = section.optional_list<MeshAxis>(
      "order", "Axes from neighbouring ranks to distant ones.", types::one_of(kAxisNames),
      {partition.order.begin(), partition.order.end()}, {.min = 4, .max = 4});
  for (const auto& [name, axis] : kAxisNames)
    if (std::ranges::count(order, axis) != 1 && section.ok())
      section.problem("order", fmt::format("expected each of tensor, sequence, data, pipeline "
                                           "once, got {} {} times",
                                           name, std::ranges::count(order, axis)));
  if (section.ok()) std::ranges::copy(order, partition.order.begin());
}

}  // namespace

void read_partition(Section section, TrainingRunSpec& run) {
  const Strategy strategy = read_strategy(section);
  check_strategy(strategy, section);
  const int ranks = num_ranks(run.system.network);
  Partition p;
  p.tensor = section.optional_count(
      "tensor", "Ranks that split heads, hidden widths and the vocabulary.", 1, kAxis);
  p.sequence =
      section.optional_count("sequence", "Ranks that split the tokens of a sequence.", 1, kAxis);
  p.pipeline = section.optional_count("pipeline", "Stages of layers.", 1, kAxis);
  if (strategy == Strategy::kModel) p.tensor = ranks;
  const std::int64_t others = std::int64_t{p.tensor} * p.sequence * p.pipeline;  // below 2^48
  p.data = section.optional_count(
      "data", "Ranks over which the batch is split; the rest of the system when missing.",
      static_cast<int>(std::max<std::int64_t>(1, ranks / others)), kAxis);
  p.expert_tensor = section.optional_count(
      "expert_tensor", "Ranks that split the width of one expert; 0: as tensor.", 0, {0, 65'536});
  const std::int64_t places = std::int64_t{p.data} * p.sequence * p.tensor / expert_tensor_ranks(p);
  const int experts = run.step.model.moe.num_experts;
  p.expert = section.optional_count(
      "expert",
      "Ranks over which the experts of a layer are spread; they lie over the data ranks. As many "
      "as divide both when missing.",
      experts > 0 && has_experts(strategy)
          ? static_cast<int>(std::max<std::int64_t>(1, std::gcd(experts, places)))
          : 1,
      kAxis);
  if (experts == 0) p.expert = 1;  // cases of one file may have models with and without experts
  p.zero_stage = section.optional_count(
      "zero", "What data ranks share: 1 optimizer state, 2 gradients too, 3 weights too.", 0,
      {0, 3});
  p.sequence_parallel = section.optional_boolean(
      "sequence_parallel", "Tensor ranks split the residual stream between products.",
      run.step.lowering.dispatch == DispatchKind::kPermutation && p.tensor > 1);
  p.virtual_stages =
      section.optional_count("virtual_stages", "Chunks of layers of each stage.", 1, {1, 10'000});
  read_order(section, p);
  section.finish();
  run.step.partition = p;
}

void read_schedule(Section section, TrainingRunSpec& run) {
  TrainingStepSpec& step = run.step;
  step.recompute = section.optional_choice<Recompute>(
      "recompute", "What the backward pass computes again instead of keeping it.", step.recompute,
      {{"none", Recompute::kNone},
       {"selective", Recompute::kSelective},
       {"full", Recompute::kFull}});
  step.overlap.gradients = section.optional_boolean(
      "overlap_gradients", "Sums of gradients run beside the last backward pass.",
      step.overlap.gradients);
  step.overlap.weights = section.optional_boolean(
      "overlap_weights", "With zero 3, a layer's weights are gathered while the one before runs.",
      step.overlap.weights);
  step.overlap.all_to_all_chunks = section.optional_count(
      "all_to_all_chunks", "Parts in which experts compute while other parts are sent.",
      step.overlap.all_to_all_chunks, {1, 64});
  step.overlap.passes = section.optional_boolean(
      "overlap_passes",
      "Interleaved pipelines: one microbatch's forward pass runs beside another's backward pass.",
      step.overlap.passes);
  step.overlap.communication_share = section.value_or(
      "communication_share",
      "Share of a device's computing units that communication takes while it overlaps.",
      types::number({.min = 0.0, .max = 0.9}), step.overlap.communication_share);
  run.pipeline_schedule = section.find("pipeline", "Order of the passes of pipeline stages.",
                                       types::one_of(pipeline_choices()));
  run.stragglers.pass_sigma =
      section.optional_number("jitter_sigma", "Of the logarithm of each pass's time in a pipeline.",
                              0.0, {.min = 0.0, .max = 2.0});
  run.stragglers.stage_slowdown = section.optional_list<double>(
      "stage_slowdown", "How many times as long the passes of each pipeline stage take.",
      types::number({.above = 0.0, .max = 1000.0}), {});
  section.finish();
}

Json partition_json(const Partition& partition) {
  Json order = Json::array();
  for (const MeshAxis axis : partition.order) order.push_back(axis_name(axis));
  return {{"data", partition.data},
          {"tensor", partition.tensor},
          {"sequence", partition.sequence},
          {"pipeline", partition.pipeline},
          {"expert", partition.expert},
          {"expert_tensor", partition.expert_tensor},
          {"zero", partition.zero_stage},
          {"sequence_parallel", partition.sequence_parallel},
          {"virtual_stages", partition.virtual_stages},
          {"order", std::move(order)}};
}

Json schedule_json(const TrainingRunSpec& run) {
  const TrainingStepSpec& step = run.step;
  Json json = {{"recompute", step.recompute == Recompute::kNone        ? "none"
                             : step.recompute == Recompute::kSelective ? "selective"
                                                                       : "full"},
               {"overlap_gradients", step.overlap.gradients},
               {"overlap_weights", step.overlap.weights},
               {"all_to_all_chunks", step.overlap.all_to_all_chunks},
               {"overlap_passes", step.overlap.passes},
               {"communication_share", step.overlap.communication_share}};
  if (step.partition.pipeline == 1) return json;
  json["pipeline"] = pipeline_schedule_name(pipeline_spec(run).kind);
  json["jitter_sigma"] = run.stragglers.pass_sigma;
  if (!run.stragglers.stage_slowdown.empty())
    json["stage_slowdown"] = run.stragglers.stage_slowdown;
  return json;
}

}  // namespace switchyard
