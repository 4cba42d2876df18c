#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/layer_state.hpp"
#include "kernels/layer/weights.hpp"

namespace switchyard::kernels {

/// Dropout on the hidden numbers of each row.
struct ExpertDropout {
  double rate = 0.0;                           ///< 0: none, and the rest is not looked at
  std::uint64_t stream = 0;                    ///< random_stream(step, RandomUse::kExpertDropout)
  std::span<const std::int64_t> row_ids = {};  ///< (R): token in the batch * top_k + choice
  int first_hidden = 0;                        ///< of this tensor shard
  int all_hidden = 0;                          ///< d_ff of the whole expert
};

/// R rows, those of expert e from offsets[e] to offsets[e + 1]; offsets[0] is 0.
/// @param rows     (R, d_model)
/// @param offsets  (E + 1)
template <class T>
struct ExpertRows {
  std::span<const T> rows;
  std::span<const std::int32_t> offsets;
};

/// Weights of some experts, in memory of others.
template <class T>
struct ExpertWeightsView {
  std::span<const T> w1;  ///< (E, N1, d_model)
  std::span<const T> w2;  ///< (E, d_model, d_ff)
};

template <class T>
[[nodiscard]] ExpertWeightsView<T> view_of(const ExpertWeights<T>& weights) {
  return {.w1 = weights.w1, .w2 = weights.w2};
}

/// hidden = dropout(activation(rows @ w1^T)), output = hidden @ w2^T, each row with its expert.
template <class T>
void expert_ffn_forward(const ExpertShape& shape, const ExpertDropout& dropout,
                        const CpuBackend& cpu, ExpertRows<T> in, ExpertWeightsView<T> weights,
                        ExpertActivations<T>& activations);
template <class T>
void expert_ffn_forward(const ExpertShape& shape, const ExpertDropout& dropout,
                        const CpuBackend& cpu, ExpertRows<T> in, const ExpertWeights<T>& weights,
                        ExpertActivations<T>& activations) {
  expert_ffn_forward<T>(shape, dropout, cpu, in, view_of(weights), activations);
}

/// What the experts' backward pass computes; all overwritten whole, experts without rows with zero.
template <class T>
struct ExpertGradients {
  std::span<T> d_rows;    ///< (R, d_model)
  std::span<float> d_w1;  ///< (E, N1, d_model)
  std::span<float> d_w2;  ///< (E, d_model, d_ff)
};

/// @param d_output  (R, d_model)
/// @param d_hidden  scratch, becomes (R, d_ff)
/// @param d_pre     scratch, becomes (R, N1)
template <class T>
void expert_ffn_backward(const ExpertShape& shape, const ExpertDropout& dropout,
                         const CpuBackend& cpu, ExpertRows<T> in, ExpertWeightsView<T> weights,
                         const ExpertActivations<T>& activations, std::span<const T> d_output,
                         Buffer<T>& d_hidden, Buffer<T>& d_pre, ExpertGradients<T> gradients);
template <class T>
void expert_ffn_backward(const ExpertShape& shape, const ExpertDropout& dropout,
                         const CpuBackend& cpu, ExpertRows<T> in, const ExpertWeights<T>& weights,
                         const ExpertActivations<T>& activations, std::span<const T> d_output,
                         Buffer<T>& d_hidden, Buffer<T>& d_pre, ExpertGradients<T> gradients) {
  expert_ffn_backward<T>(shape, dropout, cpu, in, view_of(weights), activations, d_output, d_hidden,
                         d_pre, gradients);
}

}  // namespace switchyard::kernels
