#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/comm/all_reduce.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/layer_state.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// What a layer on ranks is made of where a backend computes it: specialised for each, beside the
/// functions that rank_forward.inc and rank_backward.inc call (cpu_rank.hpp has the CPU's).
template <class Backend>
struct RankTypes;

template <>
struct RankTypes<CpuBackend> {
  using Handle = CpuBackend;  ///< of a backend, as a layer keeps it
  template <class T>
  using Memory = Buffer<T>;
  template <class T>
  using Weights = MoeWeights<T>;
  using Gradients = MoeGradients;
  using Routing = kernels::Routing;
  using Plan = DispatchPlan;
  template <class T>
  using Activations = ExpertActivations<T>;
  struct ChunkPlace {};     ///< what the backend keeps of an ExpertChunk
  struct RouterScratch {};  ///< of route_backward
  template <class T>
  using Reduce = ReduceScratch<T>;
};

/// What routing did with one rank's tokens, on the host.
struct RoutingCounts {
  std::vector<std::int64_t> choices;  ///< (E), dropped ones too
  std::vector<std::int64_t> rows;     ///< (E), kept
  double aux_loss = 0.0;
  double z_loss = 0.0;
};

template <class Backend, class T>
using RankMemory = typename RankTypes<Backend>::template Memory<T>;
template <class Backend, class T>
using RankWeights = typename RankTypes<Backend>::template Weights<T>;
template <class Backend>
using RankGradients = typename RankTypes<Backend>::Gradients;

/// Host or device memory for numbers, whose size the host knows.
template <class M, class T>
concept NumberMemory = requires(M memory, const M& constant, std::size_t size) {
  memory.resize(size);
  { constant.size() } -> std::same_as<std::size_t>;
  {std::span<T>{memory}};
};
static_assert(NumberMemory<RankMemory<CpuBackend, float>, float>);

}  // namespace switchyard::kernels
