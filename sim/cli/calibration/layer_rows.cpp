#include "sim/cli/calibration/layer_rows.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "cost_models/calibration/priced_operator.hpp"
#include "sim/core/quantile.hpp"
#include "sim/core/random.hpp"
#include "sim/engine/moe_phase_times.hpp"

namespace switchyard {
namespace {

constexpr int kDraws = 25;
constexpr std::uint64_t kSeed = 1;

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

/// Shares of the experts, r^-skew, in an order that is drawn: a layer's shape says how popular
/// experts are, and not which.
std::vector<double> drawn_shares(const LayerPoint& layer, int draw) {
  std::vector<double> shares;
  for (int r = 1; r <= layer.experts; ++r)
    shares.push_back(std::pow(static_cast<double>(r), -layer.skew));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  auto rng = stream_engine(kSeed, {static_cast<std::uint64_t>(draw)});
  for (std::size_t i = shares.size(); i > 1; --i)
    std::swap(shares[i - 1], shares[uniform_below(i, rng)]);
  return shares;
}

/// The rows of a skewed layer, experts in blocks on the ranks.
LayerRows skewed_rows(const LayerPoint& layer, int draw) {
  const std::vector<double> shares = drawn_shares(layer, draw);
  const auto ranks = static_cast<std::size_t>(layer.expert);
  const std::int64_t tokens = layer.tokens * layer.data / layer.expert;  // of each rank
  LayerRows rows{.between_ranks = TokenCounts::Zero(layer.expert, layer.expert),
                 .of_experts = std::vector<std::vector<std::int64_t>>(ranks)};
  for (std::size_t e = 0; e < shares.size(); ++e) {
    // A token chooses an expert once.
    const auto count = std::min(
        tokens, static_cast<std::int64_t>(
                    std::llround(shares[e] * static_cast<double>(tokens * layer.choices))));
    const std::size_t holder = e * ranks / shares.size();
    rows.of_experts[holder].push_back(count * layer.expert);
    for (int source = 0; source < layer.expert; ++source)
      rows.between_ranks(source, static_cast<Eigen::Index>(holder)) += count;
  }
  return rows;
}

Seconds sum(const std::array<Seconds, kNumMoePhases>& times) {
  return std::accumulate(times.begin(), times.end(), Seconds{});
}

/// Predicted time and interval of a layer, and the worst provenance of its parts.
struct LayerPrediction {
  Seconds time;
  Seconds low;
  Seconds high;
  Provenance provenance = Provenance::kMeasured;
};

LayerPrediction prediction_of(const MoePhaseTimes& times, bool has_backward) {
  LayerPrediction p{.time = sum(times.forward), .low = times.low[0], .high = times.high[0]};
  if (has_backward) {
    const Seconds backward = sum(times.backward) + times.gradient_sums;
    p.time += backward;
    p.low += times.low[1] + times.gradient_sums;
    p.high += times.high[1] + times.gradient_sums;
  }
  for (const auto& provenance : times.provenance)
    if (provenance) p.provenance = worse(p.provenance, *provenance);
  return p;
}

/// Balanced, or the median over draws of who is popular, from the low end of one draw in ten to the
/// high end of nine.
LayerPrediction predict(const LayerPoint& layer, const TrainingRunSpec& run) {
  if (layer.skew <= 0) return prediction_of(moe_phase_times(run), layer.has_backward);
  std::vector<double> times;
  std::vector<double> lows;
  std::vector<double> highs;
  LayerPrediction all;
  const int draws = layer.expert > 1 ? kDraws : 1;
  for (int draw = 0; draw < draws; ++draw) {
    const LayerRows rows = skewed_rows(layer, draw);
    const LayerPrediction p = prediction_of(moe_phase_times(run, {&rows, 1}), layer.has_backward);
    times.push_back(p.time.base());
    lows.push_back(p.low.base());
    highs.push_back(p.high.base());
    all.provenance = worse(all.provenance, p.provenance);
  }
  const auto at = [](const std::vector<double>& values, double share) {
    return Seconds{quantile(values, share)};
  };
  all.time = at(times, 0.5);
  all.low = at(lows, 0.1);
  all.high = at(highs, 0.9);
  return all;
}

}  // namespace

std::vector<CalibrationRow> layer_rows_of(const DeviceProfile& device, const LoweringSpec& lowering,
                                          const LinkProfiles& links,
                                          const std::vector<LayerPoint>& layers) {
  std::vector<CalibrationRow> rows;
  for (const LayerPoint& layer : layers) {
    const LayerPrediction p = predict(layer, run_of(layer, device, lowering, links));
    rows.push_back({.name = layer.has_backward ? "layer_forward_backward" : "layer_forward",
                    .type = layer.element_bytes == 2 ? "bfloat16" : "float32",
                    .shape = shape_text(layer),
                    .transport = layer.transport,
                    .ranks = layer.data * layer.tensor,
                    .threads = layer.threads,
                    .role = PointRole::kLayer,
                    .measured = layer.time,
                    .predicted = p.time,
                    .low = p.low,
                    .high = p.high,
                    .provenance = p.provenance,
                    .pass_ratio = layer.pass_ratio,
                    .roofline = {},
                    .constant = {}});
  }
  return rows;
}

}  // namespace switchyard
