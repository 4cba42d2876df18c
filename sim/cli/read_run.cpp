#include "sim/cli/read_run.hpp"

#include <algorithm>

#include "sim/cli/compare/anchor_file.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/read_model.hpp"
#include "sim/cli/read_partition.hpp"
#include "sim/cli/read_routing.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/engine/pipelined_training.hpp"
#include "sim/workload/partition/partition_problems.hpp"

namespace switchyard {
namespace {

constexpr IntegerRange kLength{.min = 0, .max = 100'000'000};

void read_batch(Section section, TrainingStepSpec& step) {
  step.sequences =
      section.integer("sequences", "Examples of one step, over all ranks.", {1, 1'000'000'000});
  step.lengths.input_tokens = section.optional_integer(
      "input_tokens", "Tokens of the encoder's input; 0 for decoder-only models.", 0, kLength);
  step.lengths.target_tokens =
      section.integer("target_tokens", "Tokens of the decoder.", {.min = 1, .max = kLength.max});
  step.microbatch_sequences = section.optional_integer(
      "microbatch_sequences",
      "Examples of a microbatch on one rank; 0 takes the largest that fits in memory, up to the "
      "software's default.",
      0, {0, 1'000'000'000});
  section.finish();
}

void check_lengths(const TrainingStepSpec& step, Section& section) {
  const bool has_encoder = step.model.architecture == Architecture::kEncoderDecoder;
  if (has_encoder && step.lengths.input_tokens == 0)
    section.problem("batch.input_tokens", "an encoder-decoder model needs at least 1");
  if (!has_encoder && step.lengths.input_tokens > 0)
    section.problem("batch.input_tokens",
                    fmt::format("a decoder-only model has target_tokens alone, but this is {}",
                                step.lengths.input_tokens));
}

void check_pipeline(const TrainingRunSpec& run, Section& section) {
  const PipelineSpec spec = pipeline_spec(run);
  for (const std::string& problem : pipeline_problems(spec))
    section.problem("schedule.pipeline", problem);
  const auto slowdowns = std::ssize(run.stragglers.stage_slowdown);
  if (slowdowns != 0 && slowdowns != spec.num_stages)
    section.problem("schedule.stage_slowdown",
                    fmt::format("expected one factor for each of the {} stages, got {}",
                                spec.num_stages, slowdowns));
  if (spec.kind != PipelineScheduleKind::kInterleaved && run.step.partition.virtual_stages > 1)
    section.problem("partition.virtual_stages",
                    fmt::format("only interleaved stages have several chunks, not {}",
                                pipeline_schedule_name(spec.kind)));
}

/// What is asked for and would change nothing.
void check_without_effect(const TrainingRunSpec& run, Section& section) {
  const bool is_pipeline = run.step.partition.pipeline > 1;
  if (run.pipeline_schedule && !is_pipeline)
    section.problem("schedule.pipeline",
                    "orders the passes of stages, of which there is one; set partition.pipeline");
  if (run.step.overlap.passes &&
      (!is_pipeline || pipeline_spec(run).kind != PipelineScheduleKind::kInterleaved))
    section.problem("schedule.overlap_passes",
                    "works with interleaved stages; set partition.pipeline and "
                    "partition.virtual_stages");
  if (!is_pipeline && (run.stragglers.pass_sigma > 0.0 || !run.stragglers.stage_slowdown.empty()))
    section.problem(
        run.stragglers.pass_sigma > 0.0 ? "schedule.jitter_sigma" : "schedule.stage_slowdown",
        "slows the passes of pipeline stages, of which there is one; set "
        "partition.pipeline");
  const std::optional<MatmulModel>& model = run.system.device.matmul_model;
  if (run.step.precision == Precision::kFp8 && (!model || model->peak_fp8 == FlopPerSecond{}))
    section.problem("precision",
                    "the system's device has no FP8 products (its matmul_model states "
                    "no peak_fp8); choose bfloat16");
}

void check_partition(const TrainingRunSpec& run, Section& section) {
  const std::vector<PartitionProblem> problems =
      partition_problems(run.step, num_ranks(run.system.network));
  for (const PartitionProblem& problem : problems) section.problem(problem.key, problem.text);
  if (problems.empty()) check_without_effect(run, section);
  if (problems.empty() && run.step.partition.pipeline > 1) check_pipeline(run, section);
  if (problems.empty() && is_moe(run.step.model)) check_routing(run, section);
}

}  // namespace

TrainingRunSpec read_training_run(Section& section) {
  TrainingRunSpec run;
  run.step.model = section.catalog_entry(
      "model", "A model of experiments/models, or one given in place.", model_catalog(),
      [](Section entry) { return read_model(std::move(entry)); });
  const Catalog devices = device_catalog();
  SystemFile system = section.catalog_entry(
      "system", "A system of topologies/catalog, or one given in place.", system_catalog(),
      [&devices](Section entry) { return read_system(std::move(entry), devices); });
  run.step.lowering = system.lowering;
  run.system = std::move(system.system);
  read_partition(section.subsection("partition", "How the run is laid over the ranks."), run);
  if (auto schedule = section.optional_subsection(
          "schedule", "What the backward pass repeats, and what communication overlaps."))
    read_schedule(std::move(*schedule), run);
  read_batch(section.subsection("batch", "The examples of one step."), run.step);
  run.step.precision = section.choice<Precision>("precision", "Numeric formats.",
                                                 {{"selective", Precision::kSelective},
                                                  {"bfloat16", Precision::kBfloat16},
                                                  {"float32", Precision::kFloat32},
                                                  {"fp8", Precision::kFp8}});
  if (auto routing = section.optional_subsection(
          "routing", "How tokens are routed to experts; needed for MoE models."))
    read_routing(std::move(*routing), run);
  else if (section.ok() && is_moe(run.step.model))
    section.problem("routing",
                    "missing; a model with experts needs it, such as \"{kind: uniform, "
                    "capacity_factor: 1.25, group_tokens: 8192}\"");
  run.draws = section.optional_count("draws", "Routing draws for the distribution of drops.", 8,
                                     {0, 100'000});
  run.seed = static_cast<std::uint64_t>(
      section.optional_integer("seed", "Seed of all random numbers.", 1, {.min = 0}));
  run.stragglers.seed = run.seed;
  const std::string anchor = section.optional_text(
      "anchor", "File of `switchyard compare --anchor`, by whose ratios times are multiplied.", "");
  if (!anchor.empty()) run.system.anchor = read_anchor(section.file_beside("anchor", anchor));
  if (section.ok()) {
    check_lengths(run.step, section);
    check_partition(run, section);
  }
  if (section.ok() && is_moe(run.step.model) &&
      run.routing.placement.kind != PlacementKind::kContiguous) {
    // Replicas of hot experts move from draw to draw; how many places a rank has does not.
    const std::vector<double> alike(static_cast<std::size_t>(run.step.model.moe.num_experts), 1.0);
    run.step.placement = place_experts(run.routing.placement, alike, run.step.partition.expert);
  }
  return run;
}

}  // namespace switchyard
