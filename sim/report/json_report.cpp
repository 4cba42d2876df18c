#include "sim/report/json_report.hpp"

#include <algorithm>

#include "sim/core/version.hpp"
#include "sim/report/evidence_report.hpp"
#include "sim/report/prediction_error.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

Json versions() {
  const BuildInfo build = build_info();
  return {{"version", build.version}, {"git_hash", build.git_hash}, {"compiler", build.compiler}};
}

Json percentiles(const Percentiles& values) {
  return {{"p5", values.p5}, {"p50", values.p50}, {"p95", values.p95}};
}

Json breakdown(const TrainingResult& result) {
  Json list = Json::array();
  for (const ClassShare& share : result.breakdown)
    list.push_back({{"class", class_name(share.operator_class)},
                    {"time_s", share.time.base()},
                    {"hidden_s", share.hidden.base()},
                    {"saved_if_free_s", share.saved_if_free.base()},
                    {"flop", share.flop.base()},
                    {"memory_bytes", share.memory.base()},
                    {"sent_bytes", share.sent.base()}});
  return list;
}

/// null when dropless, as the effective capacity factor, which is infinite.
Json capacity(const MoeLayerShape& shape) {
  return shape.capacity == kUnlimitedSlots ? Json{} : Json(shape.capacity);
}

Json routing(const TrainingResult& result) {
  Json list = Json::array();
  for (const StackRouting& stack : result.routing)
    list.push_back({{"stack", stack.stack},
                    {"num_groups", stack.shape.groups.num_groups},
                    {"group_tokens", stack.shape.groups.group_tokens},
                    {"capacity_tokens", capacity(stack.shape)},
                    {"effective_capacity_factor", stack.shape.effective_capacity_factor},
                    {"dropped_fraction", percentiles(stack.dropped_fraction)},
                    {"padding_fraction", percentiles(stack.padding_fraction)},
                    {"expert_imbalance", percentiles(stack.expert_imbalance)},
                    {"rank_imbalance", percentiles(stack.rank_imbalance)},
                    {"worst_rank_dropped_fraction", percentiles(stack.worst_rank_dropped_fraction)},
                    {"experts_touched", percentiles(stack.experts_touched)},
                    {"choices_per_token", percentiles(stack.choices_per_token)}});
  return list;
}

Json pipeline(const TrainingResult& result) {
  if (!result.pipeline) return nullptr;
  const PipelineResult& pipeline = *result.pipeline;
  Json stages = Json::array();
  for (std::size_t stage = 0; stage < pipeline.run.stages.size(); ++stage)
    stages.push_back({{"busy_s", pipeline.run.stages[stage].busy.base()},
                      {"idle_s", pipeline.run.stages[stage].idle.base()},
                      {"peak_microbatches", pipeline.run.stages[stage].peak.total},
                      {"memory_peak_bytes", pipeline.memory[stage].total().base()}});
  Json layers = Json::array();
  for (const LayerRange& range : pipeline.layers) layers.push_back(range.count);
  return {{"schedule", pipeline_schedule_name(pipeline.spec.kind)},
          {"num_stages", pipeline.spec.num_stages},
          {"chunks_per_stage", pipeline.spec.chunks_per_stage},
          {"layers_by_position", std::move(layers)},
          {"bubble_fraction", pipeline.run.bubble_fraction},
          {"makespan_s", pipeline.run.makespan.base()},
          {"critical_path",
           {{"compute_s", pipeline.critical_path.total_compute.base()},
            {"hop_s", pipeline.critical_path.total_hop.base()}}},
          {"stages", std::move(stages)}};
}

Json results(const CaseReport& row) {
  const TrainingResult& result = row.result;
  Json keys = {{"examples_per_s", result.examples_rate.base()},
               {"step_time_s", result.step_time.base()},
               {"step_time_over_draws_s", percentiles(result.step_time_over_draws)},
               {"microbatch_time_s", result.microbatch_time.base()},
               {"microbatch_sequences", result.microbatch_sequences},
               {"num_microbatches", result.num_microbatches},
               {"num_ranks", result.num_ranks},
               {"mfu", result.mfu},
               {"idle_s", result.idle.base()},
               {"breakdown", breakdown(result)},
               {"memory_peak_bytes", result.memory.total().base()},
               {"memory_over_draws_bytes", percentiles(result.memory_over_draws)},
               {"fits_in_memory", result.fits_in_memory},
               {"fits_in_memory_fraction", result.fits_probability},
               {"memory",
                {{"weights_bytes", result.memory.weights.base()},
                 {"gradients_bytes", result.memory.gradients.base()},
                 {"optimizer_bytes", result.memory.optimizer.base()},
                 {"activations_bytes", result.memory.activations.base()},
                 {"recomputed_bytes", result.memory.recomputed.base()},
                 {"logits_bytes", result.memory.logits.base()},
                 {"buffers_bytes", result.memory.buffers.base()}}},
               {"all_to_all_sent_bytes", result.all_to_all_sent.base()},
               {"busiest_link_bytes", result.busiest_link.base()},
               {"routing", routing(result)},
               {"pipeline", pipeline(result)}};
  if (row.evidence)
    keys["step_time_interval_s"] =
        Json::array({row.evidence->low.base(), row.evidence->high.base()});
  return keys;
}

Json published(const CaseReport& row) {
  if (!row.published) return nullptr;
  return {{"examples_per_s", row.published->examples_rate.base()},
          {"error_fraction", *relative_error(row)},
          {"role", role_name(row.published->role)},
          {"source", row.published->source}};
}

Json constant(const Constant& value) {
  return {{"value", value.value},
          {"provenance", provenance_name(value.provenance)},
          {"range", Json::array({value.lowest, value.highest})}};
}

Json provenance(const CaseReport& row) {
  const bool fitted = row.published && row.published->role == Role::kFit;
  const bool has_kernels = row.evidence && row.evidence->has_kernels;
  const char* times = provenance_name(has_kernels ? row.evidence->worst
                                      : fitted    ? Provenance::kFitted
                                                  : Provenance::kExtrapolated);
  const char* uncompared = provenance_name(Provenance::kAssumed);
  Json keys = Json::object();
  for (const char* key : {"examples_per_s", "step_time_s", "step_time_over_draws_s",
                          "microbatch_time_s", "mfu", "idle_s", "breakdown", "pipeline"})
    keys[key] = times;
  for (const char* key :
       {"memory_peak_bytes", "memory_over_draws_bytes", "fits_in_memory", "fits_in_memory_fraction",
        "all_to_all_sent_bytes", "busiest_link_bytes", "routing"})
    keys[key] = uncompared;
  keys["constants"] = {{"matmul_efficiency", constant(row.matmul_efficiency)},
                       {"memory_efficiency", constant(row.memory_efficiency)},
                       {"one_hot_passes", constant(row.one_hot_passes)}};
  if (row.sustained_speed.lowest > 0.0)
    keys["constants"]["sustained_speed"] = constant(row.sustained_speed);
  if (row.host_launch.highest > Seconds{})
    keys["constants"]["host_launch_s"] = constant({.value = row.host_launch.value.base(),
                                                   .provenance = row.host_launch.provenance,
                                                   .lowest = row.host_launch.lowest.base(),
                                                   .highest = row.host_launch.highest.base()});
  if (row.evidence) keys["step_time_interval_s"] = times;
  if (row.step_interval)
    keys["constants"]["step_interval"] = {
        {"provenance", provenance_name(row.step_interval->provenance)},
        {"range", Json::array({row.step_interval->low, row.step_interval->high})}};
  if (has_kernels) keys["kernels"] = evidence_json(row);
  if (!row.anchored_to.empty()) keys["anchored_to"] = row.anchored_to;
  return keys;
}

Json cases(const RunReport& report) {
  Json list = Json::array();
  for (const CaseReport& row : report.cases) {
    list.push_back({{"name", row.name},
                    {"input", row.input},
                    {"results", results(row)},
                    {"published", published(row)},
                    {"provenance", provenance(row)}});
    if (!row.speed.empty()) list.back()["speed"] = row.speed;
  }
  return list;
}

Json summary(const RunReport& report) {
  const ErrorSummary errors = summarize_errors(report);
  if (errors.num_predicted + errors.num_fit == 0) return nullptr;
  Json keys = {{"num_predicted", errors.num_predicted}, {"num_fit", errors.num_fit}};
  if (errors.num_predicted > 0) {
    keys["mean_absolute_error_fraction"] = errors.mean_absolute_error;
    keys["largest_error_fraction"] = errors.largest_error;
    keys["largest_error_case"] = errors.largest_error_case;
  }
  return keys;
}

Json leave_one_out(const RunReport& report) {
  Json list = Json::array();
  for (const LeaveOneOut& row : report.leave_one_out)
    list.push_back({{"name", row.name},
                    {"error_fraction", row.model_error},
                    {"constant_error_fraction", row.constant_error}});
  return list;
}

}  // namespace

Json to_json(const std::vector<RatioReport>& ratios) {
  Json list = Json::array();
  for (const RatioReport& ratio : ratios)
    list.push_back({{"name", ratio.name},
                    {"predicted", ratio.predicted},
                    {"published", ratio.published},
                    {"role", role_name(ratio.role)},
                    {"error_fraction", relative_error(ratio)},
                    {"tolerance_fraction", ratio.tolerance},
                    {"within_tolerance", is_within_tolerance(ratio)}});
  return list;
}

Json to_json(const RunReport& report) {
  return {{"switchyard", versions()},
          {"experiment", report.experiment},
          {"title", report.title},
          {"engine", engine_name(report.engine)},
          {"seed", report.seed},
          {"cases", cases(report)},
          {"summary", summary(report)},
          {"ratios", to_json(report.ratios)},
          {"leave_one_out", leave_one_out(report)}};
}

std::string json_text(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace switchyard
