#pragma once

#include "kernels/check/numbers.hpp"
#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/cuda_rank.hpp"
#include "kernels/cuda/device_communicator.hpp"
#include "kernels/ranks/cpu_rank.hpp"

namespace switchyard::kernels {

/// A layer on the ranks of a group, forward and backward.
struct RankCase {
  MoeLayerSpec spec;
  RankPartition partition;
  int num_chunks = 1;
  std::int64_t rank_tokens = 24;  ///< of a data rank
};

/// What one rank put in.
template <class T>
struct RankInputs {
  StepContext step;
  MoeWeights<T> weights;
  Buffer<T> inputs;     ///< (T, d_model)
  Buffer<T> d_outputs;  ///< (T, d_model)
};

template <class T>
RankInputs<T> rank_inputs(const RankCase& of, const RankPlace& place) {
  const auto data = static_cast<std::uint64_t>(place.data);
  const auto size = static_cast<std::size_t>(of.rank_tokens * of.spec.d_model);
  RankInputs<T> in{.step = {.seed = 3,
                            .first_token = of.rank_tokens * place.data,
                            .batch_tokens = of.rank_tokens * of.partition.data},
                   .weights = {},
                   .inputs = uniform_numbers<T>(size, 21 + data),
                   .d_outputs = uniform_numbers<T>(size, 51 + data)};
  initialise_experts(local_experts(of.partition, of.spec),
                     expert_part(of.partition, of.spec, place), 11, 0, in.weights.experts, 1.0);
  initialise_router(of.spec.num_experts, of.spec.d_model, 11, 0, in.weights.router, 4.0);
  return in;
}

/// What came out on one rank, on the host.
template <class T>
struct RankResults {
  Buffer<std::int32_t> experts;  ///< (T, k)
  Buffer<T> outputs;
  Buffer<T> d_inputs;
  MoeGradients gradients;  ///< after the all-reduce
  PhaseTimes times;
};

template <class T>
RankResults<T> run_rank_on_cpu(const RankCase& of, const RankInputs<T>& in, Communicator& all) {
  const RankGroups groups = make_groups(of.partition, all);
  const RankLayer layer{of.spec, groups, CpuBackend{}, of.num_chunks};
  RankLayerState<T> state;
  RankBackwardScratch<T> scratch;
  ReduceScratch<float> reduce;
  RankResults<T> out;
  out.outputs.resize(in.inputs.size());
  out.d_inputs.resize(in.inputs.size());
  rank_layer_forward<T>(layer, in.step, in.weights, in.inputs, out.outputs, state, out.times);
  rank_layer_backward<T>(layer, in.step, in.weights, in.inputs, state, in.d_outputs, scratch,
                         out.d_inputs, out.gradients, out.times);
  all_reduce_gradients(groups, out.gradients, reduce, out.times);
  out.experts = std::move(state.routing.experts);
  return out;
}

/// Every output poisoned first. @param all  as for the CPU, of host memory
template <class T>
RankResults<T> run_rank_on_device(const RankCase& of, const RankInputs<T>& in, Communicator& all) {
  const int device = all.rank() % num_cuda_devices();
  const auto ranks = make_device_communicator(all, device);
  const RankGroups groups = make_groups(of.partition, *ranks);
  CudaBackend cuda{device};
  const BasicRankLayer<CudaBackend> layer{of.spec, groups, cuda, of.num_chunks};
  DeviceMoeWeights<T> weights;
  upload(cuda, of.spec, local_experts(of.partition, of.spec), in.weights, weights);
  DeviceBuffer<T> inputs, d_outputs, outputs, d_inputs;
  copy_to_device<T>(in.inputs, inputs, cuda.stream());
  copy_to_device<T>(in.d_outputs, d_outputs, cuda.stream());
  poison(outputs, in.inputs.size(), cuda.stream());
  poison(d_inputs, in.inputs.size(), cuda.stream());
  BasicRankState<CudaBackend, T> state;
  const auto rows = static_cast<std::size_t>(of.rank_tokens * of.spec.router.top_k);
  const auto d = static_cast<std::size_t>(of.spec.d_model);
  poison(state.returned, rows * d, cuda.stream());
  poison(state.scratch.exchanged, rows * static_cast<std::size_t>(of.partition.data) * d,
         cuda.stream());
  BasicRankScratch<CudaBackend, T> scratch;
  DeviceMoeGradients gradients;
  poison(gradients.w1, in.weights.experts.w1.size(), cuda.stream());
  poison(gradients.w2, in.weights.experts.w2.size(), cuda.stream());
  DeviceReduceScratch<float> reduce;
  RankResults<T> out;
  cuda.synchronize();
  rank_layer_forward<T>(layer, in.step, weights, inputs, outputs, state, out.times);
  rank_layer_backward<T>(layer, in.step, weights, inputs, state, d_outputs, scratch, d_inputs,
                         gradients, out.times);
  all_reduce_gradients(groups, gradients, reduce, out.times);
  out.experts = on_host(state.routing.experts, cuda.stream());
  out.outputs = on_host(outputs, cuda.stream());
  out.d_inputs = on_host(d_inputs, cuda.stream());
  download(cuda, weights.experts.shape, gradients, out.gradients);
  return out;
}

}  // namespace switchyard::kernels
