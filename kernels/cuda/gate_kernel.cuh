#pragma once

#include <cstdint>

#include "kernels/cuda/gate_logits.cuh"
#include "kernels/cuda/gate_losses.cuh"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {

inline constexpr int kGateWarps = 8;

struct GateArguments {
  GateChunks chunks;
  const float* products;
  int num_parts;
  bool is_bfloat16;
  RouterSpec spec;
  std::uint64_t second_stream;
  std::int64_t first_token;
  float* logits;
  float* probabilities;
  float* log_sum_exp;
  std::int32_t* experts;
  float* gates;
  unsigned long long* not_finite;
  std::int32_t* first_choices;
  float* probability_sums;
  double* z_partials;
};

__device__ inline float stored_by_router(const GateArguments& args, float x) {
  return args.is_bfloat16 ? as_stored<BFloat16>(x) : x;
}

template <int kPerLane>
__device__ inline ExpertRow<kPerLane> add_parts(const GateArguments& args, std::int64_t token) {
  const int num_experts = args.chunks.num_experts;
  const float* parts = args.products + token * num_experts * args.num_parts;
  ExpertRow<kPerLane> logits;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const int expert = expert_of(i);
    logits.values[i] = -INFINITY;
    if (expert >= num_experts) continue;
    float sum = parts[expert + (args.num_parts - 1) * num_experts];
    if (args.num_parts == 3) sum = sum + parts[expert + num_experts] + parts[expert];
    logits.values[i] = stored_by_router(args, sum);
    if (!isfinite(logits.values[i]))
      atomicMin(args.not_finite, static_cast<unsigned long long>(token * num_experts + expert));
  }
  return logits;
}

struct Softmax {
  float largest;
  float sum;
};

template <int kPerLane>
__device__ inline Softmax softmax_of(const ExpertRow<kPerLane>& logits) {
  float largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) largest = fmaxf(largest, logits.values[i]);
  largest = warp_max(largest);
  float sum = 0.0F;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) sum += expf(logits.values[i] - largest);
  return {largest, warp_sum(sum)};
}

__device__ inline bool keeps_second(const GateArguments& args, std::int64_t token, double gate) {
  const double threshold = args.spec.second_threshold;
  switch (args.spec.second_choice) {
    case SecondChoice::kAlways:
      return true;
    case SecondChoice::kThreshold:
      return gate > threshold;
    case SecondChoice::kRandom: {
      const auto counter = static_cast<std::uint64_t>(args.first_token + token);
      const double draw = uniform_at(args.second_stream, counter);
      return draw < gate / (threshold > 1e-9 ? threshold : 1e-9);
    }
    case SecondChoice::kNever:
      break;
  }
  return false;
}

/// Lane j stores choice j. Returns the first choice.
template <int kPerLane>
__device__ inline int choose(const GateArguments& args, std::int64_t token,
                             const ExpertRow<kPerLane>& logits, const Softmax& softmax) {
  const int top_k = args.spec.top_k;
  std::uint64_t taken = 0;
  BestExpert first{};
  int expert = kNoExpert;
  float gate = 0.0F;
  float sum = 0.0F;
  for (int j = 0; j < top_k; ++j) {
    const auto best = best_expert(logits, args.chunks.num_experts, taken);
    taken = taken_with(taken, best.expert);
    if (j == 0) first = best;
    const float of_choice =
        args.spec.renormalized
            ? expf(best.logit - first.logit)
            : stored_by_router(args, expf(best.logit - softmax.largest) / softmax.sum);
    sum += of_choice;
    if (lane_id() == j) {
      expert = best.expert;
      gate = of_choice;
    }
  }
  if (args.spec.renormalized) gate /= sum;
  if (top_k == 2 && lane_id() == 1 && !keeps_second(args, token, gate)) {
    expert = kNoExpert;
    gate = 0.0F;
  }
  if (lane_id() < top_k) {
    args.experts[token * top_k + lane_id()] = expert;
    args.gates[token * top_k + lane_id()] = stored_by_router(args, gate);
  }
  return first.expert;
}

/// Also adds them to of_warp.
template <int kPerLane>
__device__ inline void store_probabilities(const GateArguments& args, std::int64_t token,
                                           const ExpertRow<kPerLane>& logits,
                                           const Softmax& softmax, ExpertRow<kPerLane>& of_warp) {
  float* to = args.probabilities + token * args.chunks.num_experts;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    if (expert_of(i) >= args.chunks.num_experts) continue;
    const float p = stored_by_router(args, expf(logits.values[i] - softmax.largest) / softmax.sum);
    to[expert_of(i)] = p;
    of_warp.values[i] += p;
  }
}

template <int kPerLane>
__global__ void __launch_bounds__(kGateWarps* kWarp) gate_kernel(const GateArguments args) {
  const int num_experts = args.chunks.num_experts;
  const ChunkSums<kGateWarps> sums{num_experts};
  sums.clear();
  const auto [begin, end] = tokens_of_chunk(args.chunks, blockIdx.x);
  ExpertRow<kPerLane> of_warp{};
  double z = 0.0;
  for (std::int64_t token = begin + warp_id(); token < end; token += kGateWarps) {
    const auto logits = add_parts<kPerLane>(args, token);
    store_row(logits, num_experts, args.logits + token * num_experts);
    const Softmax softmax = softmax_of(logits);
    store_probabilities(args, token, logits, softmax, of_warp);
    const float log_sum_exp = softmax.largest + logf(softmax.sum);
    z += static_cast<double>(log_sum_exp) * static_cast<double>(log_sum_exp);
    const int first = choose(args, token, logits, softmax);
    if (lane_id() == 0) {
      args.log_sum_exp[token] = log_sum_exp;
      sums.count_first(first);
    }
  }
  sums.add(of_warp);
  sums.store(args.chunks, {args.first_choices, args.probability_sums, args.z_partials}, z);
}

}  // namespace switchyard::kernels
