#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/layer/buffer.hpp"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// Which rows of an expert's W1, so which columns of its pre-activation, are gate and up of a GLU.
enum class GluLayout {
  kGateThenUp,   ///< f gate rows, then f up rows
  kInterleaved8  ///< 8 gate rows, 8 up rows, and so on; d_ff must be a multiple of 8
};

/// Shape of the experts that one call computes: those of one rank, or one tensor shard of each.
struct ExpertShape {
  int num_experts = 0;
  int d_model = 0;
  int d_ff = 0;  ///< of this shard
  Activation activation = Activation::kRelu;
  GluLayout layout = GluLayout::kGateThenUp;
};

[[nodiscard]] constexpr ExpertShape expert_shape(const MoeLayerSpec& spec) {
  return {.num_experts = spec.num_experts,
          .d_model = spec.d_model,
          .d_ff = spec.d_ff,
          .activation = spec.activation};
}

[[nodiscard]] constexpr bool is_glu(Activation activation) {
  return activation != Activation::kRelu;
}

/// N1: rows of an expert's W1, f or for a GLU 2f.
[[nodiscard]] constexpr int num_first_rows(const ExpertShape& shape) {
  return is_glu(shape.activation) ? 2 * shape.d_ff : shape.d_ff;
}

/// Row of W1 that makes the up half (`up`) or the gate half of hidden column j.
[[nodiscard]] constexpr int first_row(const ExpertShape& shape, int j, bool up) {
  if (!is_glu(shape.activation)) return j;
  const int block = shape.layout == GluLayout::kInterleaved8 ? 8 : shape.d_ff;
  return j / block * 2 * block + j % block + (up ? block : 0);
}

/// Weights of the experts of one call. T is float or BFloat16.
template <class T>
struct ExpertWeights {
  Buffer<T> w1;  ///< (E, N1, d_model): pre = x @ w1[e]^T
  Buffer<T> w2;  ///< (E, d_model, d_ff): y = hidden @ w2[e]^T
};

template <class T>
struct MoeWeights {
  Buffer<float> router;  ///< (E, d_model), float in every precision
  ExpertWeights<T> experts;
};

/// Gradients of the weights, shaped as they are, float in every precision.
struct MoeGradients {
  Buffer<float> router;
  Buffer<float> w1;
  Buffer<float> w2;
};

/// Reorders the rows of every expert's W1 (E, N1, columns) from one layout to the other.
/// @throws KernelError (kSpec) when d_ff is no multiple of 8.
template <class T>
void convert_glu_rows(const ExpertShape& from, GluLayout to, std::span<const T> source,
                      std::span<T> target);

/// Where the experts of a call lie in the whole layer: what their first weights are drawn from.
struct ExpertPart {
  int first_expert = 0;
  int first_hidden = 0;
  int all_hidden = 0;  ///< d_ff of the whole expert; 0: that of the shape
};

/// Truncated normal numbers of deviation sqrt(scale / fan-in), none beyond 2 deviations, the same
/// for a weight whatever rank draws it.
/// Source: Fedus, Zoph, Shazeer, "Switch Transformers", JMLR 23, 2022, section 2.4.
template <class T>
void initialise_experts(const ExpertShape& shape, const ExpertPart& part, std::uint64_t seed,
                        std::uint64_t layer, ExpertWeights<T>& weights, double scale = 0.1);

/// @param router  (num_experts, d_model)
void initialise_router(int num_experts, int d_model, std::uint64_t seed, std::uint64_t layer,
                       Buffer<float>& router, double scale = 0.1);

}  // namespace switchyard::kernels
