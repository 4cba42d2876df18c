#pragma once

#include "kernels/cuda/numbers.cuh"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// 1 / (1 + exp(-x)). For bfloat16 numbers with the fast exponential, whose error is below 2^-20.
template <class T>
__device__ inline float sigmoid(float x) {
  if constexpr (sizeof(T) == sizeof(float))
    return 1.0F / (1.0F + expf(-x));
  else
    return __fdividef(1.0F, 1.0F + __expf(-x));
}

/// The factor on up, and its derivative by the gate.
struct GateSlope {
  float value;
  float slope;
};

template <class T>
__device__ inline GateSlope silu(float gate) {
  const float s = sigmoid<T>(gate);
  return {gate * s, s * (1.0F + gate * (1.0F - s))};
}

template <class T>
__device__ inline GateSlope gelu(float gate) {
  constexpr float kScale = 1.5957691216F;  // 2 sqrt(2 / pi)
  const float square = gate * gate;
  const float s = sigmoid<T>(kScale * gate * (1.0F + 0.044715F * square));
  const float inner_slope = kScale * (1.0F + 3.0F * 0.044715F * square);
  return {gate * s, s + gate * s * (1.0F - s) * inner_slope};
}

template <class T>
__device__ inline GateSlope gate_slope(Activation activation, float gate) {
  return activation == Activation::kGeglu ? gelu<T>(gate) : silu<T>(gate);
}

/// Unlike fmaxf, NaN for NaN.
__device__ inline float rectified(float x) { return x <= 0.0F ? 0.0F : x; }

/// One hidden number; gate is not looked at by kRelu.
template <class T>
__device__ inline float activated(Activation activation, float gate, float up) {
  if (activation == Activation::kRelu) return rectified(up);
  return gate_slope<T>(activation, gate).value * up;
}

}  // namespace switchyard::kernels
