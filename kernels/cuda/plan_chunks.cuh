#pragma once

#include <cstdint>

#include "kernels/cuda/plan.hpp"
#include "kernels/cuda/warp.cuh"
#include "kernels/layer/dispatch_plan.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {

/// Choices that get slots in the same order form a class: all of them when tokens keep their
/// choices together or nothing is dropped, otherwise the j-th choices are class j.
struct PlanArguments {
  int num_experts = 0;
  int top_k = 0;
  int num_classes = 1;
  std::int64_t num_tokens = 0;
  std::int64_t group_tokens = 0;
  std::int64_t num_groups = 0;
  std::int64_t chunks_per_group = 0;
  std::int32_t capacity = 0;
  std::int32_t last_capacity = 0;  ///< of the last group
  const std::int32_t* experts = nullptr;
  std::int32_t* slot_counts = nullptr;
  std::int32_t* row_counts = nullptr;
  std::int32_t* num_kept = nullptr;
  std::int32_t* num_chosen = nullptr;
  std::int32_t* offsets = nullptr;
  std::int32_t* dst_row = nullptr;
  std::int32_t* source_token = nullptr;
  std::int32_t* source_choice = nullptr;

  [[nodiscard]] constexpr std::int64_t num_chunks() const { return num_groups * chunks_per_group; }
};

inline PlanArguments plan_sizes(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const bool by_choice = spec.capacity.capacity_factor.has_value() &&
                         spec.capacity.priority == SlotPriority::kChoiceMajor;
  const auto [num_groups, group_tokens] = token_groups(spec, num_tokens);
  PlanArguments sizes;
  sizes.num_experts = spec.num_experts;
  sizes.top_k = spec.router.top_k;
  sizes.num_classes = by_choice ? spec.router.top_k : 1;
  sizes.num_tokens = num_tokens;
  sizes.group_tokens = group_tokens;
  sizes.num_groups = num_groups;
  sizes.chunks_per_group = (group_tokens + kPlanChunkTokens - 1) / kPlanChunkTokens;
  return sizes;
}

/// Tokens begin .. end - 1, all of one group.
struct PlanChunk {
  std::int64_t group;
  std::int64_t begin;
  std::int64_t end;
};

__device__ inline PlanChunk chunk_of(const PlanArguments& args, std::int64_t chunk) {
  const std::int64_t group = chunk / args.chunks_per_group;
  const std::int64_t group_end = min((group + 1) * args.group_tokens, args.num_tokens);
  const std::int64_t begin =
      group * args.group_tokens + chunk % args.chunks_per_group * kPlanChunkTokens;
  return {group, min(begin, group_end), min(begin + kPlanChunkTokens, group_end)};
}

__device__ inline std::int64_t slot_index(const PlanArguments& args, std::int64_t chunk,
                                          int choice_class) {
  return (chunk * args.num_classes + choice_class) * args.num_experts;
}

/// Choices of a chunk in the order in which they ask for slots.
struct ChoiceClass {
  std::int64_t first;
  std::int64_t stride;
  std::int64_t count;

  /// Index of choice i in (T, k).
  [[nodiscard]] __device__ std::int64_t at(std::int64_t i) const { return first + i * stride; }
};

__device__ inline ChoiceClass all_choices(const PlanArguments& args, const PlanChunk& chunk) {
  return {chunk.begin * args.top_k, 1, (chunk.end - chunk.begin) * args.top_k};
}

__device__ inline ChoiceClass choices_of(const PlanArguments& args, const PlanChunk& chunk,
                                         int choice_class) {
  if (args.num_classes == 1) return all_choices(args, chunk);
  return {chunk.begin * args.top_k + choice_class, args.top_k, chunk.end - chunk.begin};
}

__device__ inline int expert_at(const PlanArguments& args, const ChoiceClass& choices,
                                std::int64_t i) {
  if (i >= choices.count) return kNoExpert;
  const std::int32_t expert = args.experts[choices.at(i)];
  return expert >= 0 && expert < args.num_experts ? expert : kNoExpert;
}

/// Returns next[expert] plus the lanes below with the same expert, and counts all of them in
/// next[expert]. To be called by the whole warp.
__device__ inline std::int32_t count_in_order(int expert, std::int32_t* next) {
  const std::uint32_t same = __match_any_sync(kWholeWarp, expert);
  std::int32_t first = 0;
  if (expert != kNoExpert) first = next[expert];
  __syncwarp();
  const std::uint32_t below = same & ((1U << lane_id()) - 1U);
  if (expert != kNoExpert && below == 0) next[expert] = first + __popc(same);
  __syncwarp();
  return first + __popc(below);
}

}  // namespace switchyard::kernels
