#include <cstdint>

#include "kernels/cpu/router_losses.hpp"
#include "kernels/cuda/gate.hpp"
#include "kernels/cuda/gate_kernel.cuh"
#include "kernels/cuda/per_lane.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

template <int kPerLane>
void launch(CudaBackend& cuda, const GateArguments& args) {
  const std::size_t shared = ChunkSums<kGateWarps>::bytes(args.chunks.num_experts);
  gate_kernel<kPerLane><<<static_cast<unsigned>(args.chunks.num_chunks()), kGateWarps * kWarp,
                          shared, cuda.stream()>>>(args);
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
