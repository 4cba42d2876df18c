#include "kernels/cpu/shape_check.hpp"

#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

void require_size(const char* argument, std::size_t size, std::int64_t rows, std::int64_t columns) {
  if (static_cast<std::int64_t>(size) == rows * columns) return;
  throw KernelError{Fault::kShape, std::string{argument} + ": expected " + std::to_string(rows) +
                                       " * " + std::to_string(columns) + " numbers, got " +
                                       std::to_string(size)};
}

std::int64_t rows_of(const char* argument, std::size_t size, std::int64_t columns) {
  const auto count = static_cast<std::int64_t>(size);
  if (columns >= 1 && count % columns == 0) return count / columns;
  throw KernelError{Fault::kShape, std::string{argument} + ": expected a multiple of " +
                                       std::to_string(columns) + " numbers, got " +
                                       std::to_string(count)};
}

}  // namespace switchyard::kernels
