#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// Rows 0 .. *num_rows - 1 of arrays with room for max_rows; the others are left alone.
struct DeviceRowCount {
  const std::int32_t* num_rows = nullptr;  ///< on the device
  std::int64_t max_rows = 0;
};

/// hidden (max_rows, d_ff) of pre (max_rows, N1). T is float or BFloat16.
template <class T>
void activate(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
              std::span<const T> pre, std::span<T> hidden);

/// @param d_hidden  (max_rows, d_ff)
/// @param d_pre     (max_rows, N1)
template <class T>
void activate_backward(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
                       std::span<const T> pre, std::span<const T> d_hidden, std::span<T> d_pre);

/// Dropout on the hidden numbers of each row, as ExpertDropout; a row's id is row_ids' or, where
/// that is null, (first_token + source_token) * top_k + source_choice.
struct DeviceDropout {
  double rate = 0.0;  ///< 0: none, and the rest is not looked at
  std::uint64_t stream = 0;
  const std::int64_t* row_ids = nullptr;
  const std::int32_t* source_token = nullptr;
  const std::int32_t* source_choice = nullptr;
  std::int64_t first_token = 0;
  int top_k = 0;
  int first_hidden = 0;  ///< of this tensor shard
  int all_hidden = 0;    ///< d_ff of the whole expert
};

/// Loses some numbers of hidden (max_rows, d_ff), scales the others.
template <class T>
void drop_out(const ExpertShape& shape, const DeviceDropout& dropout, CudaBackend& cuda,
              DeviceRowCount rows, std::span<T> hidden);

}  // namespace switchyard::kernels
