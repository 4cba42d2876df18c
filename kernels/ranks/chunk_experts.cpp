#include "kernels/ranks/chunk_experts.hpp"

#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {

bool drops_out(const MoeLayerSpec& spec, const StepContext& step) {
  return step.training && spec.expert_dropout > 0.0;
}

ExpertShape chunk_shape(const HeldExperts& held, const ExpertChunk& chunk) {
  ExpertShape shape = local_experts(held.groups.partition, held.spec);
  shape.num_experts = chunk.num_experts;
  return shape;
}

ExpertDropout chunk_dropout(const HeldExperts& held, const StepContext& step,
                            std::span<const std::int64_t> row_ids) {
  if (!drops_out(held.spec, step)) return {};
  const RankGroups& groups = held.groups;
  return {.rate = held.spec.expert_dropout,
          .stream = random_stream(step, RandomUse::kExpertDropout),
          .row_ids = row_ids,
          .first_hidden = expert_part(groups.partition, held.spec, groups.place).first_hidden,
          .all_hidden = held.spec.d_ff};
}

std::size_t first_weights(const HeldExperts& held) {
  const ExpertShape shape = local_experts(held.groups.partition, held.spec);
  return static_cast<std::size_t>(num_first_rows(shape)) * static_cast<std::size_t>(shape.d_model);
}

std::size_t second_weights(const HeldExperts& held) {
  const ExpertShape shape = local_experts(held.groups.partition, held.spec);
  return static_cast<std::size_t>(shape.d_model) * static_cast<std::size_t>(shape.d_ff);
}

void require_weights(const HeldExperts& held, std::size_t w1_size, std::size_t w2_size) {
  const ExpertShape shape = local_experts(held.groups.partition, held.spec);
  const std::int64_t num_experts = shape.num_experts;
  require_size("w1", w1_size, num_experts * num_first_rows(shape), shape.d_model);
  require_size("w2", w2_size, num_experts * shape.d_model, shape.d_ff);
}

}  // namespace switchyard::kernels
