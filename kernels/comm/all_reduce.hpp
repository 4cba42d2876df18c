#pragma once

#include <span>

#include "kernels/comm/communicator.hpp"
#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// Memory of an all-reduce that is reused from call to call.
template <class T>
struct ReduceScratch {
  Buffer<T> pieces;
};

/// Allocates what all_reduce_sum needs for up to `size` numbers: at most 6 MiB of floats.
/// @throws KernelError (kAllocation)
template <class T>
void prepare_all_reduce(const Communicator& ranks, std::size_t size, ReduceScratch<T>& scratch);

/// numbers = the sum over ranks, in float, of rank 0, then 1, ...; rounded once to T (float or
/// BFloat16). The same bits on every rank, whatever the transport. Every rank adds up its part and
/// sends it to the others: 2 (n - 1) / n of the numbers' bytes are sent by each of n ranks.
/// @returns bytes sent to other ranks
/// @param scratch  where ranks must agree on faults, prepared first
template <class T>
std::int64_t all_reduce_sum(Communicator& ranks, std::span<T> numbers, ReduceScratch<T>& scratch);

}  // namespace switchyard::kernels
