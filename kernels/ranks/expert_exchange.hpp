#pragma once

#include <functional>
#include <span>
#include <vector>

#include "kernels/comm/agreement.hpp"
#include "kernels/ranks/expert_chunks.hpp"
#include "kernels/ranks/phases.hpp"
#include "kernels/ranks/rank_groups.hpp"

namespace switchyard::kernels {

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

/// Rows that go from tokens to experts and, another number for each, back; in memory of whatever
/// computes them.
template <class T>
struct ExpertTrip {
  const RankGroups& groups;
  std::span<const ExpertChunk> chunks = {};
  std::int64_t d_model = 0;
  std::span<const T> rows = {};  ///< (R, d_model), this rank's
  std::span<T> returned = {};    ///< (R, d_model), this rank's, overwritten
  // Not used where an expert has the rows of one rank only: they stay where they are.
  std::span<T> exchanged = {};            ///< (received rows, d_model), by source
  std::vector<std::span<T>> sorted = {};  ///< by chunk: (rows of the chunk, d_model), by expert
  ExchangePhases phases = kForwardPhases;
};

/// Whether rows stay where they are: an expert has the rows of one rank only.
[[nodiscard]] inline bool stay_here(const RankGroups& groups) {
  return groups.experts->num_ranks() == 1;
}

/// What computes a trip's rows. Calls return when their results can be exchanged.
template <class T>
struct TripWork {
  /// What experts make of one chunk's rows, which the caller keeps until the next call.
  std::function<std::span<const T>(std::size_t chunk, std::span<const T> rows)> experts;
  /// Copies a chunk's rows into the other order.
  std::function<void(std::size_t chunk, const T* from, RowOrder to_order, T* to)> reorder;
  /// Adds up over tensor ranks, returns the bytes sent. Called beside the others.
  std::function<std::int64_t(std::span<T> numbers)> all_reduce;
};

/// Sends rows chunk by chunk to their experts, has them computed, adds up the tensor ranks' results
/// and sends these back. With several chunks exchanges run beside the work on others.
///
/// @param fault  of `work`, which is not called any more then; exchanges go on
template <class T>
void run_trip(const ExpertTrip<T>& trip, const TripWork<T>& work, LocalFault& fault,
              PhaseTimes& times);

}  // namespace switchyard::kernels
