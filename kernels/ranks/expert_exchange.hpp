#pragma once

#include <functional>
#include <span>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/all_reduce.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/ranks/expert_chunks.hpp"
#include "kernels/ranks/phases.hpp"
#include "kernels/ranks/rank_groups.hpp"

namespace switchyard::kernels {

/// Memory that is reused from call to call.
template <class T>
struct ExchangeScratch {
  Buffer<T> exchanged;  ///< (received rows, d_model), by source
  ReduceScratch<T> reduce;
};

/// Where the phases of one direction are counted.
struct ExchangePhases {
  Phase to_experts;
  Phase sort;
  Phase compute;
  Phase tensor_all_reduce;
  Phase from_experts;
  Phase wait;
};
inline constexpr ExchangePhases kForwardPhases{Phase::kDispatch, Phase::kSort,
                                               Phase::kExperts,  Phase::kTensorAllReduce,
                                               Phase::kReturn,   Phase::kWait};
inline constexpr ExchangePhases kBackwardPhases{
    Phase::kReturnBackward,          Phase::kSortBackward,     Phase::kExpertsBackward,
    Phase::kTensorAllReduceBackward, Phase::kDispatchBackward, Phase::kWaitBackward};

/// Rows that go from tokens to experts and, another number for each, back.
template <class T>
struct ExpertTrip {
  const RankGroups& groups;
  const CpuBackend& cpu;
  std::span<const ExpertChunk> chunks = {};
  std::int64_t d_model = 0;
  std::span<const T> rows = {};  ///< (R, d_model), this rank's
  std::span<T> returned = {};    ///< (R, d_model), this rank's, overwritten
  /// By chunk: what the experts' rows are stored in, (rows of the chunk, d_model). Not used where
  /// an expert has the rows of one rank only: they stay where they are.
  std::span<Buffer<T>*> sorted = {};
  ExchangePhases phases = kForwardPhases;
};

/// Computes one chunk: what an expert makes of its rows, which the caller keeps until the next.
template <class T>
using ChunkWork = std::function<std::span<const T>(std::size_t chunk, std::span<const T> rows)>;

/// Allocates what run_trip needs. @throws KernelError (kAllocation)
template <class T>
void prepare(const ExpertTrip<T>& trip, ExchangeScratch<T>& scratch);

/// Sends rows chunk by chunk to their experts, calls `work`, adds up the tensor ranks' results and
/// sends these back. With several chunks exchanges run beside the work on others.
///
/// @param fault  of `work`, which is not called any more then; exchanges go on
template <class T>
void run_trip(const ExpertTrip<T>& trip, const ChunkWork<T>& work, ExchangeScratch<T>& scratch,
              LocalFault& fault, PhaseTimes& times);

}  // namespace switchyard::kernels
