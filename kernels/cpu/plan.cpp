#include "kernels/cpu/plan.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {
namespace {

/// Choices of tokens begin .. end - 1 that ask for slots, one expert's counter each.
struct SlotOffer {
  std::span<const std::int32_t> experts;  ///< (T, k)
  std::int64_t top_k = 0;
  std::int64_t capacity = 0;
  Buffer<std::int32_t>& taken;    ///< (E)
  Buffer<std::int32_t>& dst_row;  ///< 0 for a kept choice, else kDropped
};

void offer(const SlotOffer& to, std::int64_t token, std::int64_t choice) {
  const auto at = static_cast<std::size_t>(token * to.top_k + choice);
  const std::int32_t expert = to.experts[at];
  to.dst_row[at] = kDropped;
  if (expert == kNoExpert) return;
  std::int32_t& taken = to.taken[static_cast<std::size_t>(expert)];
  if (taken >= to.capacity) return;
  ++taken;
  to.dst_row[at] = 0;
}

void offer_group(const SlotOffer& to, SlotPriority priority, std::int64_t begin, std::int64_t end) {
  std::ranges::fill(to.taken, 0);
  if (priority == SlotPriority::kTokenMajor) {
    for (std::int64_t token = begin; token < end; ++token)
      for (std::int64_t choice = 0; choice < to.top_k; ++choice) offer(to, token, choice);
    return;
  }
  for (std::int64_t choice = 0; choice < to.top_k; ++choice)
    for (std::int64_t token = begin; token < end; ++token) offer(to, token, choice);
}

void require_experts(const MoeLayerSpec& spec, std::span<const std::int32_t> experts) {
  if (experts.size() > std::numeric_limits<std::int32_t>::max())
    throw KernelError{Fault::kShape, "plan: expected fewer than 2^31 choices, got " +
                                         std::to_string(experts.size())};
  for (std::size_t i = 0; i < experts.size(); ++i)
    if (experts[i] < kNoExpert || experts[i] >= spec.num_experts)
      throw KernelError{Fault::kShape, "plan: choice " + std::to_string(i) + " is expert " +
                                           std::to_string(experts[i]) + ", expected -1 to " +
                                           std::to_string(spec.num_experts - 1)};
}

}  // namespace

void build_plan(const MoeLayerSpec& spec, std::span<const std::int32_t> experts,
                DispatchPlan& plan) {
  const std::int64_t top_k = spec.router.top_k;
  const std::int64_t num_tokens = rows_of("experts", experts.size(), top_k);
  const auto num_experts = static_cast<std::size_t>(spec.num_experts);
  require_experts(spec, experts);
  plan.dst_row.resize(experts.size());
  plan.num_chosen.resize(num_experts);
  plan.offsets.resize(num_experts + 1);
  Buffer<std::int32_t> next_row(num_experts);

  const auto [num_groups, group_tokens] = token_groups(spec, num_tokens);
  for (std::int64_t group = 0; group < num_groups; ++group) {
    const std::int64_t begin = group * group_tokens;
    const std::int64_t end = std::min(num_tokens, begin + group_tokens);
    const auto capacity = expert_capacity(spec, end - begin).value_or(num_tokens * top_k);
    offer_group({experts, top_k, capacity, next_row, plan.dst_row}, spec.capacity.priority, begin,
                end);
  }

  std::ranges::fill(plan.num_chosen, 0);
  std::ranges::fill(plan.offsets, 0);
  std::int64_t num_choices = 0;
  for (std::size_t i = 0; i < experts.size(); ++i) {
    if (experts[i] == kNoExpert) continue;
    const auto expert = static_cast<std::size_t>(experts[i]);
    ++num_choices;
    ++plan.num_chosen[expert];
    if (plan.dst_row[i] != kDropped) ++plan.offsets[expert + 1];
  }
  for (std::size_t e = 0; e < num_experts; ++e) {
    plan.offsets[e + 1] += plan.offsets[e];
    next_row[e] = plan.offsets[e];
  }
  plan.num_rows = plan.offsets[num_experts];
  plan.num_dropped = num_choices - plan.num_rows;
  plan.source_token.resize(static_cast<std::size_t>(plan.num_rows));
  plan.source_choice.resize(static_cast<std::size_t>(plan.num_rows));
  for (std::size_t i = 0; i < experts.size(); ++i) {
    if (plan.dst_row[i] == kDropped) continue;
    const std::int32_t row = next_row[static_cast<std::size_t>(experts[i])]++;
    plan.dst_row[i] = row;
    plan.source_token[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(static_cast<std::int64_t>(i) / top_k);
    plan.source_choice[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(static_cast<std::int64_t>(i) % top_k);
  }
}

}  // namespace switchyard::kernels
