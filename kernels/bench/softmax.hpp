#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// row[i] = exp(row[i]) / their sum for the first `num_seen` numbers, 0 for the rest of `size`.
/// Precondition: 1 <= num_seen <= size.
void softmax_row(float* row, std::int64_t num_seen, std::int64_t size);

}  // namespace switchyard::kernels
