#pragma once

#include <span>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"

namespace switchyard::kernels {

// As the CPU's, in device memory. T is float or BFloat16. T tokens, k choices; `rows` have room for
// plan.max_rows rows, of which the plan's R are read or written and the others left alone.

/// rows[r] = inputs[source_token[r]], bit for bit.
/// @param inputs  (T, d_model)
/// @param rows    (max_rows, d_model)
template <class T>
void permute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> inputs,
             std::span<T> rows);

/// outputs[t] = sum over choices j, in order, of gates[t, j] * rows[dst_row[t, j]], in float.
/// @param gates    (T, k)
/// @param outputs  (T, d_model)
template <class T>
void combine(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const float> gates,
             std::span<const T> rows, std::span<T> outputs);

/// Backward of combine: d_rows[r] = gate * d_outputs[token], d_gates[t, j] = d_outputs[t] .
/// rows[r], 0 for a dropped choice.
/// @param d_rows   (max_rows, d_model)
/// @param d_gates  (T, k)
template <class T>
void combine_backward(const DevicePlan& plan, CudaBackend& cuda, int d_model,
                      std::span<const float> gates, std::span<const T> rows,
                      std::span<const T> d_outputs, std::span<T> d_rows, std::span<float> d_gates);

/// Backward of permute: d_inputs[t] = addend[t] + sum over choices j, in order, of
/// d_rows[dst_row[t, j]], in float.
/// @param addend    (T, d_model), or empty
/// @param d_inputs  (T, d_model)
template <class T>
void unpermute(const DevicePlan& plan, CudaBackend& cuda, int d_model, std::span<const T> d_rows,
               std::span<const float> addend, std::span<T> d_inputs);

}  // namespace switchyard::kernels
