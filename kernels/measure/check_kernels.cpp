#include "kernels/measure/check_kernels.hpp"

#include <span>
#include <string>

#include "kernels/check/numbers.hpp"
#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/cpu/moe_layer.hpp"
#include "kernels/cpu/reference_layer.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::size_t kTokens = 67;

template <class T>
void require_close(const std::string& what, const Buffer<T>& got, std::span<const double> expected,
                   double tolerance) {
  const double error = frobenius_error(got, expected);
  if (error <= tolerance) return;
  throw KernelError{Fault::kDevice, std::string{"kernel check ("} + isa_kernels().name +
                                        "): " + what + " are off by " + number_text(error) +
                                        ", expected at most " + number_text(tolerance) +
                                        "; nothing was measured"};
}

/// Tolerances are those of the tests: relative Frobenius norms, see docs/kernels.md.
template <class T>
void check_layer(const MoeLayerSpec& spec, const CpuBackend& cpu, double tolerance) {
  const auto d_model = static_cast<std::size_t>(spec.d_model);
  MoeWeights<T> weights;
  initialise_experts(expert_shape(spec), {}, 1, 0, weights.experts, 1.0);
  initialise_router(spec.num_experts, spec.d_model, 1, 0, weights.router, 4.0);
  const auto inputs = uniform_numbers<T>(kTokens * d_model, 2);
  const auto d_outputs = uniform_numbers<T>(kTokens * d_model, 3);
  Buffer<T> outputs(inputs.size());
  Buffer<T> d_inputs(inputs.size());
  LayerState<T> state;
  BackwardScratch<T> scratch;
  MoeGradients gradients;
  layer_forward<T>(spec, {}, cpu, weights, inputs, outputs, state);
  layer_backward<T>(spec, {}, cpu, weights, inputs, state, d_outputs, scratch, d_inputs, gradients);

  const ReferenceWeights exact{.router = in_double(weights.router),
                               .w1 = in_double(weights.experts.w1),
                               .w2 = in_double(weights.experts.w2)};
  ReferenceState reference;
  const auto expected = reference_forward(spec, {}, exact, in_double(inputs), reference);
  const auto expected_gradients =
      reference_backward(spec, {}, exact, in_double(inputs), reference, in_double(d_outputs));
  require_close("outputs", outputs, expected, tolerance);
  require_close("gradients of inputs", d_inputs, expected_gradients.inputs, tolerance);
  require_close("gradients of the first weights", gradients.w1, expected_gradients.weights.w1,
                tolerance);
  require_close("gradients of the second weights", gradients.w2, expected_gradients.weights.w2,
                tolerance);
}

}  // namespace

void check_cpu_kernels(int num_threads) {
  const CpuBackend cpu{num_threads};
  MoeLayerSpec spec{.d_model = 72,
                    .d_ff = 96,
                    .num_experts = 5,
                    .activation = Activation::kSwiglu,
                    .precision = Precision::kFloat32,
                    .router = {.top_k = 2}};
  check_layer<float>(spec, cpu, 1e-5);
  spec.precision = Precision::kSelective;
  check_layer<BFloat16>(spec, cpu, 1e-2);
}

}  // namespace switchyard::kernels
