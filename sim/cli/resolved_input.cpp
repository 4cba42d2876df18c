#include "sim/cli/calibration/write_kernels.hpp"
#include "sim/cli/compare/anchor_file.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/model_json.hpp"
#include "sim/cli/quantity_text.hpp"
#include "sim/cli/read_network.hpp"
#include "sim/cli/read_partition.hpp"
#include "sim/cli/read_routing.hpp"

namespace switchyard {
namespace {

Json constant_json(const Constant& constant) {
  return {{"value", constant.value},
          {"provenance", provenance_name(constant.provenance)},
          {"range", {constant.lowest, constant.highest}}};
}

template <class Unit>
Json constant_json(const QuantityConstant<Unit>& constant) {
  return {{"value", exact_text(constant.value)},
          {"provenance", provenance_name(constant.provenance)},
          {"range", {exact_text(constant.lowest), exact_text(constant.highest)}}};
}

Json attention_json(const AttentionKernel& kernel) {
  return {{"efficiency", constant_json(kernel.efficiency)},
          {"half_rate_width", constant_json(kernel.half_rate_width)},
          {"fill_blocks", constant_json(kernel.fill_blocks)}};
}

Json matmul_model_json(const MatmulModel& model) {
  Json json;
  json["multiprocessors"] = model.multiprocessors;
  json["peak_float32"] = exact_text(model.peak_float32);
  json["streaming_efficiency"] = constant_json(model.streaming_efficiency);
  json["load_rate"] = constant_json(model.load_rate);
  json["split_startup"] = constant_json(model.split_startup);
  json["fill_steps"] = constant_json(model.fill_steps);
  json["wave_quantization"] = constant_json(model.wave_quantization);
  if (model.peak_fp8 > FlopPerSecond{}) {
    json["peak_fp8"] = exact_text(model.peak_fp8);
    json["fp8"] = {{"efficiency", constant_json(model.fp8.efficiency)},
                   {"fill_steps", constant_json(model.fp8.fill_steps)},
                   {"wave_quantization", constant_json(model.fp8.wave_quantization)}};
  }
  json["attention_forward"] = attention_json(model.attention_forward);
  json["attention_backward"] = attention_json(model.attention_backward);
  return json;
}

Json lowering_json(const LoweringSpec& lowering) {
  Json json;
  json["dispatch"] = lowering.dispatch == DispatchKind::kOneHot ? "one-hot" : "permutation";
  json["one_hot_passes"] = constant_json(lowering.one_hot_passes);
  json["weight_bytes"] = lowering.weight_bytes;
  json["gradient_bytes"] = lowering.gradient_bytes;
  json["softmax_forward_passes"] = lowering.softmax_forward_passes;
  json["softmax_backward_passes"] = lowering.softmax_backward_passes;
  json["router_forward_passes"] = lowering.router_forward_passes;
  json["router_backward_passes"] = lowering.router_backward_passes;
  json["top_k_forward_passes"] = lowering.top_k_forward_passes;
  json["top_k_backward_passes"] = lowering.top_k_backward_passes;
  json["layout_copies"] = lowering.layout_copies;
  json["fused_attention"] = lowering.fused_attention;
  json["separate_activation"] = lowering.separate_activation;
  json["separate_loss"] = lowering.separate_loss;
  json["gates_before_last_product"] = lowering.gates_before_last_product;
  json["updates_as_made"] = lowering.updates_as_made;
  json["fused_accumulation"] = lowering.fused_accumulation;
  json["dropout"] = lowering.dropout;
  json["one_hot_embedding"] = lowering.one_hot_embedding;
  json["capacity_multiple"] = lowering.capacity_multiple;
  json["optimizer_passes"] = lowering.optimizer_passes;
  json["optimizer_bytes"] = lowering.optimizer_bytes;
  json["microbatch_tokens"] = lowering.microbatch_tokens;
  return json;
}

Json device_json(const DeviceProfile& device, const LoweringSpec& lowering) {
  const MatmulTile& tile = device.matmul_tile;
  Json json;
  json["peak_bfloat16"] = exact_text(device.peak_bfloat16);
  json["memory_bandwidth"] = exact_text(device.memory_bandwidth);
  json["memory_capacity"] = exact_text(device.memory_capacity);
  json["usable_memory"] = device.memory_usable;
  json["operator_overhead"] = exact_text(device.operator_overhead);
  json["matmul_tile"] = {{"rows", tile.rows},
                         {"minimum_rows", tile.minimum_rows},
                         {"contraction", tile.contraction},
                         {"columns", tile.columns}};
  json["memory_tile"] = {{"rows", device.memory_tile.rows},
                         {"columns", device.memory_tile.columns}};
  json["matmul_efficiency"] = constant_json(device.matmul_efficiency);
  json["memory_efficiency"] = constant_json(device.memory_efficiency);
  if (device.sustained_speed.lowest > 0.0)  // given
    json["sustained_speed"] = constant_json(device.sustained_speed);
  if (device.host_launch.highest > Seconds{})
    json["host_launch"] = constant_json(device.host_launch);
  if (device.matmul_model) json["matmul_model"] = matmul_model_json(*device.matmul_model);
  if (device.step_interval)
    json["step_interval"] = {{"provenance", provenance_name(device.step_interval->provenance)},
                             {"range", {device.step_interval->low, device.step_interval->high}}};
  if (device.kernels) json["kernels"] = kernels_json(*device.kernels);
  json["lowering"] = lowering_json(lowering);
  return json;
}

Json system_json(const System& system, const LoweringSpec& lowering) {
  Json json;
  json["device"] = device_json(system.device, lowering);
  json.update(network_json(system.network));
  if (!system.library.empty()) json["library"] = system.library;
  if (system.device.kernels && system.device.kernels->speed != KernelSpeed::kBurst)
    json["speed"] = speed_name(system.device.kernels->speed);
  return json;
}

}  // namespace

Json resolved_input(const TrainingRunSpec& run) {
  const TrainingStepSpec& step = run.step;
  Json json;
  json["model"] = model_json(step.model);
  json["system"] = system_json(run.system, step.lowering);
  json["partition"] = partition_json(step.partition);
  json["schedule"] = schedule_json(run);
  json["batch"] = {{"sequences", step.sequences},
                   {"input_tokens", step.lengths.input_tokens},
                   {"target_tokens", step.lengths.target_tokens},
                   {"microbatch_sequences", resolve_microbatch(run).microbatch_sequences}};
  json["precision"] = step.precision == Precision::kSelective  ? "selective"
                      : step.precision == Precision::kBfloat16 ? "bfloat16"
                      : step.precision == Precision::kFp8      ? "fp8"
                                                               : "float32";
  if (is_moe(step.model)) json["routing"] = routing_json(run);
  json["draws"] = run.draws;
  json["seed"] = run.seed;
  if (run.system.anchor) json["anchor"] = anchor_json(*run.system.anchor);
  return json;
}

}  // namespace switchyard
