#pragma once

#include <span>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/device_layer.hpp"

namespace switchyard::kernels {

/// As ExpertRows, in device memory with room for max_rows rows.
template <class T>
struct DeviceExpertRows {
  std::span<const T> rows;                ///< (max_rows, d_model)
  const std::int32_t* offsets = nullptr;  ///< (E + 1) on the device
  std::int64_t max_rows = 0;
  std::span<const std::int32_t> host_offsets = {};  ///< (E + 1), where the host knows them
};

/// As the CPU's. `activations` have their sizes, see resize_activations.
template <class T>
void expert_ffn_forward(const DeviceDropout& dropout, CudaBackend& cuda, DeviceExpertRows<T> in,
                        DeviceExpertWeightsView<T> weights,
                        DeviceExpertActivations<T>& activations);

template <class T>
void resize_activations(const ExpertShape& shape, std::int64_t max_rows,
                        DeviceExpertActivations<T>& activations);

/// Arrays of the experts' backward pass, all overwritten.
template <class T>
struct DeviceExpertGradients {
  std::span<T> d_hidden;  ///< (max_rows, d_ff), scratch
  std::span<T> d_pre;     ///< (max_rows, N1), scratch
  std::span<T> d_rows;    ///< (max_rows, d_model)
  std::span<float> d_w1;  ///< (E, N1, d_model), in the layout of the weights
  std::span<float> d_w2;  ///< (E, d_model, d_ff)
};

/// @param d_output  (max_rows, d_model)
template <class T>
void expert_ffn_backward(const DeviceDropout& dropout, CudaBackend& cuda, DeviceExpertRows<T> in,
                         DeviceExpertWeightsView<T> weights,
                         const DeviceExpertActivations<T>& activations, std::span<const T> d_output,
                         DeviceExpertGradients<T> gradients);

}  // namespace switchyard::kernels
