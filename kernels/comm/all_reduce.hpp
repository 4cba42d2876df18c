#pragma once

#include <functional>
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

/// sums (count) = the sum of the rows of pieces (num_ranks, count): in float, in order, rounded
/// once to T. Returns when it is done.
template <class T>
using AddPieces =
    std::function<void(const T* pieces, std::int64_t num_ranks, std::int64_t count, T* sums)>;

/// Numbers of `pieces` that all_reduce_with needs for up to `size` numbers; 0 for one rank.
[[nodiscard]] std::size_t num_piece_numbers(const Communicator& ranks, std::size_t size);

/// all_reduce_sum in memory that the ranks exchange and `add` adds in, a GPU's for one.
/// @param pieces  at least num_piece_numbers(ranks, numbers.size())
template <class T>
std::int64_t all_reduce_with(Communicator& ranks, std::span<T> numbers, std::span<T> pieces,
                             const AddPieces<T>& add);

}  // namespace switchyard::kernels
