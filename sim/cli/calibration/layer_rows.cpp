#include "sim/cli/calibration/layer_rows.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "sim/engine/moe_phase_times.hpp"

namespace switchyard {
namespace {

Activation activation_of(const std::string& name) {
  for (const Activation activation : {Activation::kRelu, Activation::kGelu, Activation::kGeglu})
    if (activation_name(activation) == name) return activation;
  return Activation::kSwiglu;
}

System system_of(const LayerPoint& layer, const DeviceProfile& device, const LinkProfiles& links) {
  const int ranks = layer.data * layer.tensor;
  KernelProfile placed = *device.kernels;
  int measured = 1;
  for (const KernelModel& model : placed.models)
    for (const KernelPoint& point : model.points)
      measured = std::max(measured, point.call.busy_ranks);
  placed.threads = layer.threads;
  placed.busy_ranks = placed.measured.backend == "cuda" ? 1 : std::clamp(ranks, 1, measured);
  System system{.name = "layer", .network = {}, .device = device};
  system.device.kernels = std::make_shared<const KernelProfile>(std::move(placed));
  LinkSpec port{.bandwidth = BytesPerSecond{1e10}, .latency = {}};
  const auto found = links.find(layer.transport);
  if (found != links.end()) {
    system.collectives = found->second;
    port.bandwidth = found->second.link_bandwidth;
  }
  system.network = ScaleUpSpec{.num_ranks = ranks, .port = port};
  return system;
}

TrainingRunSpec run_of(const LayerPoint& layer, const DeviceProfile& device,
                       const LoweringSpec& lowering, const LinkProfiles& links) {
  TrainingRunSpec run;
  run.system = system_of(layer, device, links);
  ModelSpec& model = run.step.model;
  model.architecture = Architecture::kDecoderOnly;
  model.num_encoder_layers = 0;
  model.num_decoder_layers = 1;
  model.d_model = layer.d_model;
  model.d_ff = layer.d_ff;
  model.activation = activation_of(layer.activation);
  model.num_heads = model.num_kv_heads = 1;
  model.d_head = 64;
  model.vocabulary = 1024;
  model.positions = PositionEncoding::kRotary;
  model.moe.num_experts = layer.experts;
  model.moe.top_k = layer.choices;
  model.moe.layer_period = 1;
  run.step.lengths = {.input_tokens = 0, .target_tokens = layer.tokens};
  run.step.sequences = layer.data;
  run.step.microbatch_sequences = 1;
  run.step.partition = {.data = layer.data, .tensor = layer.tensor, .expert = layer.expert};
  run.step.precision = layer.element_bytes == 2 ? Precision::kSelective : Precision::kFloat32;
  run.step.moe.dropless = true;
  run.step.lowering = lowering;
  run.step.lowering.dispatch = DispatchKind::kPermutation;
  run.routing.gate.top_k = layer.choices;
  run.draws = 0;
  return run;
}

/// Rows of a layer whose r-th expert has a share r^-skew, as whole numbers: largest remainders.
std::vector<LayerRows> skewed_rows(const LayerPoint& layer) {
  if (layer.skew <= 0) return {};
  const int shares = layer.expert;
  const std::int64_t tokens_of_share = layer.tokens * layer.data / shares;
  const auto experts = static_cast<std::size_t>(layer.experts);
  std::vector<double> weights;
  for (std::size_t r = 1; r <= experts; ++r)
    weights.push_back(std::pow(static_cast<double>(r), -layer.skew));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  LayerRows rows{
      .between_ranks = TokenCounts::Zero(shares, shares),
      .of_experts = std::vector<std::vector<std::int64_t>>(static_cast<std::size_t>(shares))};
  // A token chooses an expert once, so none has more rows than there are tokens.
  const double choices = static_cast<double>(tokens_of_share) * layer.choices;
  for (std::size_t e = 0; e < experts; ++e) {
    const double of_source =
        std::min(choices * weights[e] / sum, static_cast<double>(tokens_of_share));
    const auto count = static_cast<std::int64_t>(std::llround(of_source));
    const std::size_t holder = e * static_cast<std::size_t>(shares) / experts;
    rows.of_experts[holder].push_back(count * shares);
    for (int source = 0; source < shares; ++source)
      rows.between_ranks(source, static_cast<Eigen::Index>(holder)) += count;
  }
  return {rows};
}

Seconds sum(const std::array<Seconds, kNumMoePhases>& times) {
  return std::accumulate(times.begin(), times.end(), Seconds{});
}

}  // namespace

std::vector<CalibrationRow> layer_rows_of(const DeviceProfile& device, const LoweringSpec& lowering,
                                          const LinkProfiles& links,
                                          const std::vector<LayerPoint>& layers) {
  std::vector<CalibrationRow> rows;
  for (const LayerPoint& layer : layers) {
    const MoePhaseTimes times =
        moe_phase_times(run_of(layer, device, lowering, links), skewed_rows(layer));
    CalibrationRow row{.name = layer.has_backward ? "layer_forward_backward" : "layer_forward",
                       .type = layer.element_bytes == 2 ? "bfloat16" : "float32",
                       .shape = shape_text(layer),
                       .transport = layer.transport,
                       .ranks = layer.data * layer.tensor,
                       .threads = layer.threads,
                       .role = PointRole::kLayer,
                       .measured = layer.time,
                       .predicted = sum(times.forward),
                       .low = times.low[0],
                       .high = times.high[0],
                       .pass_ratio = layer.pass_ratio,
                       .roofline = {},
                       .constant = {}};
    if (layer.has_backward) {
      row.predicted += sum(times.backward) + times.gradient_sums;
      row.low += times.low[1] + times.gradient_sums;
      row.high += times.high[1] + times.gradient_sums;
    }
    row.provenance = Provenance::kMeasured;
    for (const auto& provenance : times.provenance)
      if (provenance) row.provenance = std::max(row.provenance, *provenance);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace switchyard
