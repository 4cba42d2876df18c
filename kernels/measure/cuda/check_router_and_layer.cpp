#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/layer_run.hpp"
#include "kernels/measure/cuda/check_cuda_kernels.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;

template <class T>
constexpr bool kIsFloat = std::is_same_v<T, float>;

/// A layer on the device and in double.
template <class T>
struct ComparedLayer {
  DeviceLayerRun<T> run;
  ReferenceState state;
  std::vector<double> outputs;
  ReferenceGradients gradients;
};

template <class T>
ComparedLayer<T> compared(CudaBackend& cuda) {
  const MoeLayerSpec spec{.d_model = 72,
                          .d_ff = 96,
                          .num_experts = 5,
                          .activation = Activation::kSwiglu,
                          .precision = kIsFloat<T> ? Precision::kFloat32 : Precision::kSelective,
                          .router = {.top_k = 2, .renormalized = true}};
  ComparedLayer<T> layer{
      .run = run_on_device<T>(cuda, spec, 67), .state = {}, .outputs = {}, .gradients = {}};
  const ReferenceWeights weights{.router = in_double(layer.run.weights.router),
                                 .w1 = in_double(layer.run.weights.experts.w1),
                                 .w2 = in_double(layer.run.weights.experts.w2)};
  const auto inputs = in_double(layer.run.inputs);
  layer.outputs = reference_forward(spec, layer.run.step, weights, inputs, layer.state);
  layer.gradients = reference_backward(spec, layer.run.step, weights, inputs, layer.state,
                                       in_double(layer.run.d_outputs));
  return layer;
}

// Tolerances are those of kernels/cuda/check/layer_checks.cpp.

template <class T>
void check_router(CudaBackend& cuda) {
  const auto layer = compared<T>(cuda);
  require_that("another choice of experts",
               have_same_bits(layer.run.routing.experts, layer.state.routing.experts));
  require_error("logits", frobenius_error(layer.run.routing.logits, layer.state.routing.logits),
                1e-5);
  require_error("gates", frobenius_error(layer.run.routing.gates, layer.state.routing.gates), 1e-5);
}

/// The gradient of gates is the device's own: in bfloat16 those of two choices nearly cancel.
template <class T>
void check_router_backward(CudaBackend& cuda) {
  const auto layer = compared<T>(cuda);
  require_error("gradients of the router",
                frobenius_error(layer.run.gradients.router, layer.gradients.weights.router),
                kIsFloat<T> ? 1e-5 : 1e-2);
}

template <class T>
void check_layer(CudaBackend& cuda) {
  const auto layer = compared<T>(cuda);
  const double tolerance = kIsFloat<T> ? 1e-5 : 1e-2;
  const auto& run = layer.run;
  require_error("outputs", frobenius_error(run.outputs, layer.outputs), tolerance);
  require_error("gradients of inputs", frobenius_error(run.d_inputs, layer.gradients.inputs),
                tolerance);
  require_error("gradients of the first weights",
                frobenius_error(run.gradients.w1, layer.gradients.weights.w1), tolerance);
  require_error("gradients of the second weights",
                frobenius_error(run.gradients.w2, layer.gradients.weights.w2), tolerance);
}

template <class T>
void add_checks(std::vector<OperatorCheck>& checks) {
  checks.push_back({{kRouter}, !kIsFloat<T>, check_router<T>});
  checks.push_back({{kRouterBackward}, !kIsFloat<T>, check_router_backward<T>});
  checks.push_back({{kLayerForward, kLayerForwardBackward}, !kIsFloat<T>, check_layer<T>});
}

}  // namespace

std::vector<OperatorCheck> router_and_layer_checks() {
  std::vector<OperatorCheck> checks;
  add_checks<float>(checks);
  add_checks<BFloat16>(checks);
  return checks;
}

}  // namespace switchyard::kernels
