#include "kernels/cuda/gate_losses.cuh"

namespace switchyard::kernels {
namespace {

constexpr int kRows = 32;

struct LossArguments {
  GateChunks chunks;
  double aux_weight;  ///< alpha * E / batch_tokens
  double z_weight;    ///< over batch_tokens
  const std::int32_t* first_choices;
  const float* probability_sums;
  const double* z_partials;
  float* aux_slopes;
  double* aux_partials;
  std::uint32_t* blocks_done;
  double* losses;
};

/// Sum of count numbers by one block, the same bits in every run.
__device__ double block_sum(const double* numbers, std::int64_t count, double* shared) {
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += numbers[i];
  sum = warp_sum(sum);
  __syncthreads();
  if (lane_id() == 0) shared[warp_id()] = sum;
  __syncthreads();
  return warp_sum(shared[lane_id()]);  // the block has 32 warps
}

/// Block (x, y): 32 experts of group y. A thread adds every 32nd chunk of one expert.
__global__ void __launch_bounds__(kRows* kWarp) losses_kernel(const LossArguments args) {
  __shared__ double sums[kRows][kWarp + 1];
  __shared__ double warp_sums[kWarp];
  __shared__ bool is_last;
  const GateChunks& chunks = args.chunks;
  const std::int64_t group = blockIdx.y;
  const int expert = static_cast<int>(blockIdx.x) * kWarp + lane_id();
  const bool is_expert = expert < chunks.num_experts;
  double sum = 0.0;
  if (is_expert)
    for (std::int64_t c = warp_id(); c < chunks.chunks_per_group; c += kRows)
      sum += static_cast<double>(
          args.probability_sums[(group * chunks.chunks_per_group + c) * chunks.num_experts +
                                expert]);
  sums[warp_id()][lane_id()] = sum;
  __syncthreads();
  if (warp_id() == 0) {
    double loss = 0.0;
    if (is_expert) {
      for (int row = 0; row < kRows; ++row) loss += sums[row][lane_id()];
      const std::int64_t begin = group * chunks.group_tokens;
      const std::int64_t size = min(chunks.group_tokens, chunks.num_tokens - begin);
      const std::int64_t at = group * chunks.num_experts + expert;
      const auto slope =
          static_cast<float>(args.aux_weight * args.first_choices[at] / static_cast<double>(size));
      args.aux_slopes[at] = slope;
      loss *= static_cast<double>(slope);
    }
    loss = warp_sum(loss);
    if (lane_id() == 0) {
      args.aux_partials[blockIdx.y * gridDim.x + blockIdx.x] = loss;
      __threadfence();
      is_last = atomicAdd(args.blocks_done, 1U) == gridDim.x * gridDim.y - 1;
    }
  }
  __syncthreads();
  if (!is_last) return;
  __threadfence();
  const double aux = block_sum(args.aux_partials, std::int64_t{gridDim.x} * gridDim.y, warp_sums);
  const double z = block_sum(args.z_partials, chunks.num_chunks(), warp_sums);
  if (threadIdx.x > 0) return;
  args.losses[0] = aux;
  args.losses[1] = args.z_weight * z;
}

}  // namespace

void launch_losses(CudaBackend& cuda, const MoeLayerSpec& spec, std::int64_t batch_tokens,
                   const GateChunks& chunks, DeviceRouting& routing) {
  check_cuda(cudaMemsetAsync(routing.blocks_done.data(), 0, sizeof(std::uint32_t), cuda.stream()),
             "cudaMemset");
  const auto tokens = static_cast<double>(batch_tokens);
  const LossArguments args{.chunks = chunks,
                           .aux_weight = spec.router.aux_loss_weight * spec.num_experts / tokens,
                           .z_weight = spec.router.z_loss_weight / tokens,
                           .first_choices = routing.first_choices.data(),
                           .probability_sums = routing.probability_sums.data(),
                           .z_partials = routing.z_partials.data(),
                           .aux_slopes = routing.aux_slopes.data(),
                           .aux_partials = routing.aux_partials.data(),
                           .blocks_done = routing.blocks_done.data(),
                           .losses = routing.losses.data()};
  const dim3 grid{static_cast<unsigned>((chunks.num_experts + kWarp - 1) / kWarp),
                  static_cast<unsigned>(chunks.num_groups)};
  losses_kernel<<<grid, kRows * kWarp, 0, cuda.stream()>>>(args);
  check_launch("losses_kernel");
}

}  // namespace switchyard::kernels
