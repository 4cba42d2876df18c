#pragma once

#include <cstddef>
#include <cstdint>

namespace switchyard::kernels {

/// @throws KernelError (kShape) naming the argument, unless it has rows * columns numbers.
void require_size(const char* argument, std::size_t size, std::int64_t rows, std::int64_t columns);

/// Rows of an array with `columns` columns.
/// @throws KernelError (kShape) unless `columns` divides its size.
[[nodiscard]] std::int64_t rows_of(const char* argument, std::size_t size, std::int64_t columns);

}  // namespace switchyard::kernels
