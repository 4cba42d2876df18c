#include <cstdint>

#include "kernels/cpu/router_losses.hpp"
#include "kernels/cuda/gate.hpp"
#include "kernels/cuda/gate_logits.cuh"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kWarps = 8;

struct GateBackwardArguments {
  int num_experts;
  int top_k;
  bool renormalized;
  std::int64_t num_tokens;
  std::int64_t group_tokens;
  float z_slope;
  const float* logits;
  const float* probabilities;
  const float* log_sum_exp;
  const std::int32_t* experts;
  const float* gates;
  const float* aux_slopes;
  const float* d_gates;
  LogitsGradient to;
};

/// The best expert but `first` by logit.
__device__ int second_best(const GateBackwardArguments& args, std::int64_t token, int first) {
  const float* logits = args.logits + token * args.num_experts;
  BestExpert best{-INFINITY, args.num_experts};
  for (int e = lane_id(); e < args.num_experts; e += kWarp)
    if (e != first && (best.expert == args.num_experts || logits[e] > best.logit))
      best = {logits[e], e};
  return best_of_warp(best, args.num_experts).expert;
}

/// What the gates of one token add to the gradient of its logits; lane j holds what choice j adds.
struct ThroughGates {
  int expert;
  float d_logit;
  float mean;  ///< of the gates' part of the gradient of the probabilities
};

/// Gates that are not renormalized are probabilities, so that part of the softmax's backward is
/// gate * d_gate, and their sum.
__device__ ThroughGates through_gates(const GateBackwardArguments& args, std::int64_t token) {
  const std::int64_t at = token * args.top_k + lane_id();
  const bool is_choice = lane_id() < args.top_k;
  const int expert = is_choice ? args.experts[at] : kNoExpert;
  const float gate = is_choice ? args.gates[at] : 0.0F;
  const float d_gate = expert != kNoExpert ? args.d_gates[at] : 0.0F;
  const float mean = warp_sum(gate * d_gate);
  if (!args.renormalized) return {expert, gate * d_gate, mean};
  ThroughGates result{expert, gate * (d_gate - mean), 0.0F};
  if (args.top_k != 2 || __shfl_sync(kWholeWarp, expert, 1) != kNoExpert) return result;
  // A second choice that is not used still shares the softmax of the first.
  const int second = second_best(args, token, __shfl_sync(kWholeWarp, expert, 0));
  const float first_gate = __shfl_sync(kWholeWarp, gate, 0);
  if (lane_id() == 1) result = {second, -(1.0F - first_gate) * mean, 0.0F};
  return result;
}

__device__ void store(const GateBackwardArguments& args, std::int64_t token, int expert, float d) {
  const int num_experts = args.num_experts;
  if (args.to.floats != nullptr) {
    args.to.floats[token * num_experts + expert] = d;
    return;
  }
  BFloat16* parts = args.to.parts + token * num_experts * 4 + expert;
  const auto large = rounded_to<BFloat16>(d);
  const float rest = d - to_float(large);
  const auto middle = rounded_to<BFloat16>(rest);
  parts[0] = parts[3 * num_experts] = large;
  parts[num_experts] = middle;
  parts[2 * num_experts] = rounded_to<BFloat16>(rest - to_float(middle));
}

/// A warp for each token.
__global__ void __launch_bounds__(kWarps* kWarp)
    gate_backward_kernel(const GateBackwardArguments args) {
  const std::int64_t token = std::int64_t{blockIdx.x} * kWarps + warp_id();
  if (token >= args.num_tokens) return;
  const int num_experts = args.num_experts;
  const float* p = args.probabilities + token * num_experts;
  const float* slopes = args.aux_slopes + token / args.group_tokens * num_experts;
  const ThroughGates gates = through_gates(args, token);
  float mean = 0.0F;
#pragma unroll 4
  for (int e = lane_id(); e < num_experts; e += kWarp) mean += p[e] * slopes[e];
  mean = warp_sum(mean) + gates.mean;
  const float z = args.z_slope * args.log_sum_exp[token];
#pragma unroll 4
  for (int first = 0; first < num_experts; first += kWarp) {
    const int e = first + lane_id();
    float d = e < num_experts ? p[e] * (slopes[e] - mean + z) : 0.0F;
    for (int j = 0; j < args.top_k; ++j) {
      const int expert = __shfl_sync(kWholeWarp, gates.expert, j);
      const float more = __shfl_sync(kWholeWarp, gates.d_logit, j);
      if (expert == e) d += more;
    }
    if (e < num_experts) store(args, token, e, d);
  }
}

}  // namespace

void launch_gate_backward(CudaBackend& cuda, const MoeLayerSpec& spec, const StepContext& step,
                          std::int64_t num_tokens, const DeviceRouting& routing,
                          const float* d_gates, LogitsGradient to) {
  if (num_tokens == 0) return;
  const auto batch_tokens = static_cast<double>(tokens_of_losses(step, num_tokens));
  const GateBackwardArguments args{
      .num_experts = spec.num_experts,
      .top_k = spec.router.top_k,
      .renormalized = spec.router.renormalized,
      .num_tokens = num_tokens,
      .group_tokens = token_groups(spec, num_tokens).group_tokens,
      .z_slope = static_cast<float>(2.0 * spec.router.z_loss_weight / batch_tokens),
      .logits = routing.logits.data(),
      .probabilities = routing.probabilities.data(),
      .log_sum_exp = routing.log_sum_exp.data(),
      .experts = routing.experts.data(),
      .gates = routing.gates.data(),
      .aux_slopes = routing.aux_slopes.data(),
      .d_gates = d_gates,
      .to = to};
  const auto grid = static_cast<unsigned>((num_tokens + kWarps - 1) / kWarps);
  gate_backward_kernel<<<grid, kWarps * kWarp, 0, cuda.stream()>>>(args);
  check_launch("gate_backward_kernel");
}

}  // namespace switchyard::kernels
