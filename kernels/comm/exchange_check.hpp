#pragma once

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// What every transport checks before it starts.
/// @throws KernelError (kShape) unless all four arrays have a number for each of `num_ranks` ranks,
///         none negative, and row_bytes is not 0.
void check_exchange(const RowExchange& exchange, int num_ranks);

/// @throws KernelError (kShape) unless `received` has num_ranks times the bytes of `sent`.
void check_gather(std::span<const std::byte> sent, std::span<std::byte> received, int num_ranks);

/// Copies the rows that `from`, as rank `from_rank`, sends to the rank of `to`, as rank `to_rank`.
/// @throws KernelError (kShape) unless both speak of as many bytes.
void copy_rows(const RowExchange& from, int from_rank, const RowExchange& to, int to_rank);

}  // namespace switchyard::kernels
