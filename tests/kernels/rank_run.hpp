#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/comm/communicator.hpp"
#include "kernels/ranks/rank_layer.hpp"
#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {

/// A layer run on all ranks of a group, and the same batch run on one.
struct RankCase {
  MoeLayerSpec spec;
  RankPartition partition;
  int num_chunks = 1;
  std::int64_t batch_tokens = 96;
};

/// Experts of one rank, drawn as random_weights() draws them for all.
template <class T>
MoeWeights<T> rank_weights(const RankCase& of, const RankPlace& place) {
  MoeWeights<T> weights;
  initialise_experts(local_experts(of.partition, of.spec),
                     expert_part(of.partition, of.spec, place), 11, 0, weights.experts, 1.0);
  initialise_router(of.spec.num_experts, of.spec.d_model, 11, 0, weights.router, 4.0);
  return weights;
}

template <class T>
struct RankRun {
  MoeWeights<T> weights;
  Buffer<T> inputs;
  Buffer<T> d_outputs;
  RankLayerState<T> state;
  RankBackwardScratch<T> scratch;
  Buffer<T> outputs;
  Buffer<T> d_inputs;
  MoeGradients gradients;
  PhaseTimes times;
};

template <class T>
Buffer<T> part_of(const Buffer<T>& all, std::size_t index, std::size_t num_parts) {
  const std::size_t size = all.size() / num_parts;
  Buffer<T> part(size);
  std::copy_n(all.begin() + index * size, size, part.begin());
  return part;
}

/// This rank's part of the same run as run_layer(spec, batch_tokens).
template <class T>
RankRun<T> run_on_ranks(const RankCase& of, Communicator& all) {
  const RankGroups groups = make_groups(of.partition, all);
  const auto num_data = static_cast<std::size_t>(of.partition.data);
  const auto data = static_cast<std::size_t>(groups.place.data);
  const auto size = static_cast<std::size_t>(of.batch_tokens * of.spec.d_model);
  RankRun<T> run;
  run.weights = rank_weights<T>(of, groups.place);
  run.inputs = part_of(uniform_numbers<T>(size, 21), data, num_data);
  run.d_outputs = part_of(uniform_numbers<T>(size, 31), data, num_data);
  poison(run.outputs, run.inputs.size());
  poison(run.d_inputs, run.inputs.size());
  poison(run.state.scratch.exchanged, 4 * size);
  poison(run.state.returned, size * static_cast<std::size_t>(of.spec.router.top_k));
  poison(run.gradients.w1, run.weights.experts.w1.size());
  poison(run.gradients.w2, run.weights.experts.w2.size());
  const StepContext step{.seed = 3,
                         .first_token = of.batch_tokens / of.partition.data * groups.place.data,
                         .batch_tokens = of.batch_tokens};
  const RankLayer layer{of.spec, groups, CpuBackend{}, of.num_chunks};
  rank_layer_forward<T>(layer, step, run.weights, run.inputs, run.outputs, run.state, run.times);
  rank_layer_backward<T>(layer, step, run.weights, run.inputs, run.state, run.d_outputs,
                         run.scratch, run.d_inputs, run.gradients, run.times);
  ReduceScratch<float> reduce;
  all_reduce_gradients(groups, run.gradients, reduce, run.times);
  return run;
}

/// The numbers of one rank among those of all experts. @param all  W1 (E, N1, d_model) or like it
inline Buffer<float> w1_of_rank(const RankCase& of, const RankPlace& place,
                                const Buffer<float>& all) {
  const ExpertShape whole = expert_shape(of.spec);
  const ExpertShape shape = local_experts(of.partition, of.spec);
  const ExpertPart part = expert_part(of.partition, of.spec, place);
  const auto d = static_cast<std::size_t>(of.spec.d_model);
  const auto at = [&](const ExpertShape& in, int expert, int column, bool up) {
    return static_cast<std::size_t>(expert * num_first_rows(in) + first_row(in, column, up)) * d;
  };
  Buffer<float> result(static_cast<std::size_t>(shape.num_experts * num_first_rows(shape)) * d);
  for (int e = 0; e < shape.num_experts; ++e)
    for (int j = 0; j < shape.d_ff; ++j)
      for (const bool up : {false, true})
        std::copy_n(all.begin() + at(whole, part.first_expert + e, part.first_hidden + j, up), d,
                    result.begin() + at(shape, e, j, up));
  return result;
}

/// @param all  W2 (E, d_model, d_ff) or like it
inline Buffer<float> w2_of_rank(const RankCase& of, const RankPlace& place,
                                const Buffer<float>& all) {
  const ExpertShape shape = local_experts(of.partition, of.spec);
  const ExpertPart part = expert_part(of.partition, of.spec, place);
  Buffer<float> result(static_cast<std::size_t>(shape.num_experts * shape.d_model * shape.d_ff));
  for (int row = 0; row < shape.num_experts * shape.d_model; ++row)
    std::copy_n(
        all.begin() + (part.first_expert * shape.d_model + row) * of.spec.d_ff + part.first_hidden,
        shape.d_ff, result.begin() + row * shape.d_ff);
  return result;
}

}  // namespace switchyard::kernels
