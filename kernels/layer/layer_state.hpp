#pragma once

#include "kernels/layer/buffer.hpp"
#include "kernels/layer/dispatch_plan.hpp"
#include "kernels/layer/routing.hpp"

namespace switchyard::kernels {

/// What the experts of one call computed for R rows. T is float or BFloat16.
template <class T>
struct ExpertActivations {
  Buffer<T> pre;     ///< (R, N1), before the activation, columns in the order of W1's rows
  Buffer<T> hidden;  ///< (R, d_ff), after activation and dropout
  Buffer<T> output;  ///< (R, d_model), not yet multiplied by the gates
};

/// What a forward pass leaves for the backward pass, the layer's input apart.
template <class T>
struct LayerState {
  Routing routing;
  DispatchPlan plan;
  Buffer<T> rows;  ///< (R, d_model), the input sorted by expert
  ExpertActivations<T> experts;
};

}  // namespace switchyard::kernels
