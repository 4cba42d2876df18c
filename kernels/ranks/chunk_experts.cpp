#include "kernels/ranks/chunk_experts.hpp"

#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {

bool drops_out(const MoeLayerSpec& spec, const StepContext& step) {
  return step.training && spec.expert_dropout > 0.0;
}

ExpertShape chunk_shape(const RankLayer& layer, const ExpertChunk& chunk) {
  ExpertShape shape = local_experts(layer.groups.partition, layer.spec);
  shape.num_experts = chunk.num_experts;
  return shape;
}

ExpertDropout chunk_dropout(const RankLayer& layer, const StepContext& step,
                            std::span<const std::int64_t> row_ids) {
  if (!drops_out(layer.spec, step)) return {};
  const RankGroups& groups = layer.groups;
  return {.rate = layer.spec.expert_dropout,
          .stream = random_stream(step, RandomUse::kExpertDropout),
          .row_ids = row_ids,
          .first_hidden = expert_part(groups.partition, layer.spec, groups.place).first_hidden,
          .all_hidden = layer.spec.d_ff};
}

std::size_t first_weights(const RankLayer& layer) {
  const ExpertShape shape = local_experts(layer.groups.partition, layer.spec);
  return static_cast<std::size_t>(num_first_rows(shape)) * static_cast<std::size_t>(shape.d_model);
}

std::size_t second_weights(const RankLayer& layer) {
  const ExpertShape shape = local_experts(layer.groups.partition, layer.spec);
  return static_cast<std::size_t>(shape.d_model) * static_cast<std::size_t>(shape.d_ff);
}

template <class T>
void require_weights(const RankLayer& layer, ExpertWeightsView<T> weights) {
  const ExpertShape shape = local_experts(layer.groups.partition, layer.spec);
  const std::int64_t num_experts = shape.num_experts;
  require_size("w1", weights.w1.size(), num_experts * num_first_rows(shape), shape.d_model);
  require_size("w2", weights.w2.size(), num_experts * shape.d_model, shape.d_ff);
}

template void require_weights(const RankLayer&, ExpertWeightsView<float>);
template void require_weights(const RankLayer&, ExpertWeightsView<BFloat16>);

}  // namespace switchyard::kernels
