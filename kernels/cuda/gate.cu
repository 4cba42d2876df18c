#include <cstdint>

#include "kernels/cpu/router_losses.hpp"
#include "kernels/cuda/gate.hpp"
#include "kernels/cuda/gate_logits.cuh"
#include "kernels/cuda/gate_losses.cuh"
#include "kernels/cuda/per_lane.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kWarps = 8;

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

__device__ float stored_by_router(const GateArguments& args, float x) {
  return args.is_bfloat16 ? as_stored<BFloat16>(x) : x;
}

template <int kPerLane>
__device__ ExpertRow<kPerLane> add_parts(const GateArguments& args, std::int64_t token) {
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
__device__ Softmax softmax_of(const ExpertRow<kPerLane>& logits) {
  float largest = -INFINITY;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) largest = fmaxf(largest, logits.values[i]);
  largest = warp_max(largest);
  float sum = 0.0F;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) sum += expf(logits.values[i] - largest);
  return {largest, warp_sum(sum)};
}

__device__ bool keeps_second(const GateArguments& args, std::int64_t token, double gate) {
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
__device__ int choose(const GateArguments& args, std::int64_t token,
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
__device__ void store_probabilities(const GateArguments& args, std::int64_t token,
                                    const ExpertRow<kPerLane>& logits, const Softmax& softmax,
                                    ExpertRow<kPerLane>& of_warp) {
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
__global__ void __launch_bounds__(kWarps* kWarp) gate_kernel(const GateArguments args) {
  const int num_experts = args.chunks.num_experts;
  const ChunkSums<kWarps> sums{num_experts};
  sums.clear();
  const auto [begin, end] = tokens_of_chunk(args.chunks, blockIdx.x);
  ExpertRow<kPerLane> of_warp{};
  double z = 0.0;
  for (std::int64_t token = begin + warp_id(); token < end; token += kWarps) {
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

template <int kPerLane>
void launch(CudaBackend& cuda, const GateArguments& args) {
  const std::size_t shared = ChunkSums<kWarps>::bytes(args.chunks.num_experts);
  gate_kernel<kPerLane>
      <<<static_cast<unsigned>(args.chunks.num_chunks()), kWarps * kWarp, shared, cuda.stream()>>>(
          args);
  check_launch("gate_kernel");
}

}  // namespace

GateSizes gate_sizes(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const GateChunks chunks = gate_chunks(spec, num_tokens);
  return {chunks.num_groups, chunks.num_chunks(), num_aux_partials(chunks)};
}

void launch_gate(CudaBackend& cuda, const MoeLayerSpec& spec, const StepContext& step,
                 std::int64_t num_tokens, int num_parts, DeviceRouting& routing) {
  check_cuda(cudaMemsetAsync(routing.not_finite.data(), 0xff, sizeof(std::uint64_t), cuda.stream()),
             "cudaMemset");
  check_cuda(cudaMemsetAsync(routing.losses.data(), 0, 2 * sizeof(double), cuda.stream()),
             "cudaMemset");
  if (num_tokens == 0) return;
  check_cuda(cudaMemsetAsync(routing.first_choices.data(), 0,
                             routing.first_choices.size() * sizeof(std::int32_t), cuda.stream()),
             "cudaMemset");
  const GateArguments args{
      .chunks = gate_chunks(spec, num_tokens),
      .products = routing.products.data(),
      .num_parts = num_parts,
      .is_bfloat16 = spec.precision == Precision::kBfloat16,
      .spec = spec.router,
      .second_stream = random_stream(step, RandomUse::kSecondChoice),
      .first_token = step.first_token,
      .logits = routing.logits.data(),
      .probabilities = routing.probabilities.data(),
      .log_sum_exp = routing.log_sum_exp.data(),
      .experts = routing.experts.data(),
      .gates = routing.gates.data(),
      .not_finite = reinterpret_cast<unsigned long long*>(routing.not_finite.data()),
      .first_choices = routing.first_choices.data(),
      .probability_sums = routing.probability_sums.data(),
      .z_partials = routing.z_partials.data()};
  with_numbers_per_lane(spec.num_experts, [&](auto per_lane) { launch<per_lane()>(cuda, args); });
  launch_losses(cuda, spec, tokens_of_losses(step, num_tokens), args.chunks, routing);
}

}  // namespace switchyard::kernels
