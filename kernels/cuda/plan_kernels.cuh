#pragma once

#include <cstdint>

#include "kernels/cuda/plan_chunks.cuh"

namespace switchyard::kernels {

inline constexpr int kScanWarps = 8;

/// One warp: how many choices of each class and expert a chunk has.
__global__ void __launch_bounds__(kWarp) count_kernel(const PlanArguments args) {
  extern __shared__ std::int32_t counts[];
  const PlanChunk chunk = chunk_of(args, blockIdx.x);
  for (int c = 0; c < args.num_classes; ++c) {
    for (int e = lane_id(); e < args.num_experts; e += kWarp) counts[e] = 0;
    __syncwarp();
    const ChoiceClass choices = choices_of(args, chunk, c);
    for (std::int64_t first = 0; first < choices.count; first += kWarp) {
      const int expert = expert_at(args, choices, first + lane_id());
      count_in_order(expert, counts);
    }
    std::int32_t* to = args.slot_counts + slot_index(args, blockIdx.x, c);
    for (int e = lane_id(); e < args.num_experts; e += kWarp) to[e] = counts[e];
    __syncwarp();
  }
}

/// One warp for each group and expert: counts become first slots, class by class, chunk by chunk;
/// row_counts become the numbers of kept choices.
__global__ void __launch_bounds__(kScanWarps* kWarp) slots_kernel(const PlanArguments args) {
  const std::int64_t index = std::int64_t{blockIdx.x} * kScanWarps + warp_id();
  if (index >= args.num_groups * args.num_experts) return;
  const std::int64_t group = index / args.num_experts;
  const auto expert = static_cast<int>(index % args.num_experts);
  const std::int32_t capacity = group == args.num_groups - 1 ? args.last_capacity : args.capacity;
  std::int32_t taken = 0;
  for (int c = 0; c < args.num_classes; ++c)
    for (std::int64_t first = 0; first < args.chunks_per_group; first += kWarp) {
      const std::int64_t of_group = first + lane_id();
      const bool is_chunk = of_group < args.chunks_per_group;
      const std::int64_t chunk = group * args.chunks_per_group + of_group;
      std::int32_t* slot =
          is_chunk ? args.slot_counts + slot_index(args, chunk, c) + expert : nullptr;
      const std::int32_t count = is_chunk ? *slot : 0;
      const std::int32_t up_to = warp_inclusive_sum(count);
      const std::int32_t begin = taken + up_to - count;
      if (is_chunk) {
        *slot = begin;
        const std::int32_t kept = min(max(capacity - begin, 0), count);
        std::int32_t& of_chunk = args.row_counts[chunk * args.num_experts + expert];
        of_chunk = (c == 0 ? 0 : of_chunk) + kept;
      }
      taken += __shfl_sync(kWholeWarp, up_to, kWarp - 1);
    }
  if (lane_id() == 0) atomicAdd(&args.num_chosen[expert], taken);
}

/// One warp for each expert: numbers of kept choices become first rows within the expert.
__global__ void __launch_bounds__(kScanWarps* kWarp) rows_kernel(const PlanArguments args) {
  const int expert = static_cast<int>(blockIdx.x) * kScanWarps + warp_id();
  if (expert >= args.num_experts) return;
  std::int32_t rows = 0;
  for (std::int64_t first = 0; first < args.num_chunks(); first += kWarp) {
    const std::int64_t chunk = first + lane_id();
    const bool is_chunk = chunk < args.num_chunks();
    std::int32_t* of_chunk =
        is_chunk ? args.row_counts + chunk * args.num_experts + expert : nullptr;
    const std::int32_t count = is_chunk ? *of_chunk : 0;
    const std::int32_t up_to = warp_inclusive_sum(count);
    if (is_chunk) *of_chunk = rows + up_to - count;
    rows += __shfl_sync(kWholeWarp, up_to, kWarp - 1);
  }
  if (lane_id() == 0) args.num_kept[expert] = rows;
}

/// One warp: rows of the experts of lower number, of all experts; (E + 1) in shared memory.
__device__ inline void scan_offsets(const PlanArguments& args, std::int32_t* offsets) {
  std::int32_t rows = 0;
  for (int first = 0; first < args.num_experts; first += kWarp) {
    const int e = first + lane_id();
    const std::int32_t count = e < args.num_experts ? args.num_kept[e] : 0;
    const std::int32_t up_to = warp_inclusive_sum(count);
    if (e < args.num_experts) offsets[e] = rows + up_to - count;
    rows += __shfl_sync(kWholeWarp, up_to, kWarp - 1);
  }
  if (lane_id() == 0) offsets[args.num_experts] = rows;
  __syncwarp();
}

/// One warp: keeps or drops the choices of a chunk class by class, then numbers the kept ones.
__global__ void __launch_bounds__(kWarp) place_kernel(const PlanArguments args) {
  extern __shared__ std::int32_t shared[];
  std::int32_t* offsets = shared;
  std::int32_t* next = shared + args.num_experts + 1;
  scan_offsets(args, offsets);
  if (blockIdx.x == 0)
    for (int e = lane_id(); e <= args.num_experts; e += kWarp) args.offsets[e] = offsets[e];
  if (args.num_tokens == 0) return;

  const PlanChunk chunk = chunk_of(args, blockIdx.x);
  const std::int32_t capacity =
      chunk.group == args.num_groups - 1 ? args.last_capacity : args.capacity;
  for (int c = 0; c < args.num_classes; ++c) {
    const std::int32_t* slots = args.slot_counts + slot_index(args, blockIdx.x, c);
    for (int e = lane_id(); e < args.num_experts; e += kWarp) next[e] = slots[e];
    __syncwarp();
    const ChoiceClass choices = choices_of(args, chunk, c);
    for (std::int64_t first = 0; first < choices.count; first += kWarp) {
      const std::int64_t i = first + lane_id();
      const int expert = expert_at(args, choices, i);
      const std::int32_t slot = count_in_order(expert, next);
      const bool is_kept = expert != kNoExpert && slot < capacity;
      if (i < choices.count) args.dst_row[choices.at(i)] = is_kept ? 0 : kDropped;
    }
    __syncwarp();
  }

  const std::int32_t* rows = args.row_counts + std::int64_t{blockIdx.x} * args.num_experts;
  for (int e = lane_id(); e < args.num_experts; e += kWarp) next[e] = offsets[e] + rows[e];
  __syncwarp();
  const ChoiceClass all = all_choices(args, chunk);
  for (std::int64_t first = 0; first < all.count; first += kWarp) {
    const std::int64_t i = first + lane_id();
    const bool is_kept = i < all.count && args.dst_row[all.at(i)] != kDropped;
    const std::int32_t row = count_in_order(is_kept ? args.experts[all.at(i)] : kNoExpert, next);
    if (!is_kept) continue;
    args.dst_row[all.at(i)] = row;
    args.source_token[row] = static_cast<std::int32_t>(all.at(i) / args.top_k);
    args.source_choice[row] = static_cast<std::int32_t>(all.at(i) % args.top_k);
  }
}

}  // namespace switchyard::kernels
