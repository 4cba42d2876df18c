#include <algorithm>
#include <cstdint>
#include <string>

#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/cuda/plan_kernels.cuh"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

std::int32_t slots_of(const MoeLayerSpec& spec, std::int64_t group_tokens) {
  // A token asks an expert at most once, so a group's tokens are as good as no limit.
  const std::int64_t most = group_tokens * spec.router.top_k;
  return static_cast<std::int32_t>(
      std::min(expert_capacity(spec, group_tokens).value_or(most), most));
}

unsigned scan_blocks(std::int64_t count) {
  return static_cast<unsigned>((count + kScanWarps - 1) / kScanWarps);
}

}  // namespace

void resize_plan(const MoeLayerSpec& spec, std::int64_t num_tokens, DevicePlan& plan) {
  if (num_tokens * spec.router.top_k >= std::int64_t{1} << 31)
    throw KernelError{Fault::kShape, "plan: expected fewer than 2^31 choices, got " +
                                         std::to_string(num_tokens * spec.router.top_k)};
  const PlanArguments sizes = plan_sizes(spec, num_tokens);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  const auto chunks = static_cast<std::size_t>(sizes.num_chunks());
  plan.max_rows = max_rows(spec, num_tokens);
  plan.offsets.resize(num_experts + 1);
  plan.dst_row.resize(static_cast<std::size_t>(num_tokens * spec.router.top_k));
  plan.source_token.resize(static_cast<std::size_t>(plan.max_rows));
  plan.source_choice.resize(static_cast<std::size_t>(plan.max_rows));
  plan.num_chosen.resize(num_experts);
  plan.num_kept.resize(num_experts);
  plan.slot_counts.resize(chunks * static_cast<std::size_t>(sizes.num_classes) * num_experts);
  plan.row_counts.resize(chunks * num_experts);
}

void build_plan(const MoeLayerSpec& spec, CudaBackend& cuda, std::span<const std::int32_t> experts,
                DevicePlan& plan) {
  const std::int64_t num_tokens = rows_of("experts", experts.size(), spec.router.top_k);
  resize_plan(spec, num_tokens, plan);
  PlanArguments args = plan_sizes(spec, num_tokens);
  args.experts = experts.data();
  args.slot_counts = plan.slot_counts.data();
  args.row_counts = plan.row_counts.data();
  args.num_kept = plan.num_kept.data();
  args.num_chosen = plan.num_chosen.data();
  args.offsets = plan.offsets.data();
  args.dst_row = plan.dst_row.data();
  args.source_token = plan.source_token.data();
  args.source_choice = plan.source_choice.data();
  if (num_tokens > 0) {
    const std::int64_t last = num_tokens - (args.num_groups - 1) * args.group_tokens;
    args.capacity = slots_of(spec, args.group_tokens);
    args.last_capacity = slots_of(spec, last);
  }
  const cudaStream_t stream = cuda.stream();
  const auto chunks = static_cast<unsigned>(args.num_chunks());
  const std::size_t one_row = static_cast<std::size_t>(args.num_experts) * sizeof(std::int32_t);
  check_cuda(cudaMemsetAsync(args.num_chosen, 0, one_row, stream), "cudaMemset");
  if (chunks > 0) {
    count_kernel<<<chunks, kWarp, one_row, stream>>>(args);
    check_launch("count_kernel");
    slots_kernel<<<scan_blocks(args.num_groups * args.num_experts), kScanWarps * kWarp, 0,
                   stream>>>(args);
    check_launch("slots_kernel");
  }
  rows_kernel<<<scan_blocks(args.num_experts), kScanWarps * kWarp, 0, stream>>>(args);
  check_launch("rows_kernel");
  place_kernel<<<std::max(chunks, 1U), kWarp, 2 * one_row + sizeof(std::int32_t), stream>>>(args);
  check_launch("place_kernel");
}

}  // namespace switchyard::kernels
