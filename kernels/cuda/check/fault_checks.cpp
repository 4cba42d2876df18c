#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/layer_run.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

MoeLayerSpec spec_of_faults() {
  return {.d_model = 64, .d_ff = 32, .num_experts = 4, .router = {.top_k = 2}};
}

/// The fault that body reports, with its message.
template <class Body>
void require_fault(Fault fault, const std::string& message, const Body& body) {
  try {
    body();
  } catch (const KernelError& error) {
    require_that("another fault: " + std::string{error.what()}, error.fault() == fault);
    require_that("another message: " + std::string{error.what()},
                 std::string{error.what()}.find(message) != std::string::npos);
    return;
  }
  throw CheckFailed{"no error, expected: " + message};
}

void check_not_finite(CudaBackend& cuda) {
  DeviceLayerRun<BFloat16> run;
  run.spec = spec_of_faults();
  prepare(cuda, 50, false, run);
  run.inputs[17 * 64 + 3] = from_float<BFloat16>(std::numeric_limits<float>::quiet_NaN());
  copy_to_device<BFloat16>(run.inputs, run.device_inputs, cuda.stream());
  poison_outputs(cuda, run);
  forward(cuda, run);
  require_fault(Fault::kNotFinite, "the logit of token 17 for expert 0",
                [&] { require_finite_logits(cuda, run.spec, run.state.routing); });
}

void check_shape(CudaBackend& cuda) {
  DeviceLayerRun<BFloat16> run;
  run.spec = spec_of_faults();
  prepare(cuda, 50, false, run);
  run.device_outputs.resize(49 * 64);
  require_fault(Fault::kShape, "outputs: expected 50 * 64 numbers, got 3136",
                [&] { forward(cuda, run); });
}

void check_allocation(CudaBackend&) {
  DeviceBuffer<float> buffer;
  require_fault(Fault::kAllocation, "cannot allocate",
                [&] { buffer.resize(std::size_t{1} << 45); });
  buffer.resize(16);  // the failure leaves no error behind
}

/// The whole layer as a graph gives the bits that a direct call gives.
void check_graph(CudaBackend& cuda) {
  if (!cuda.has_wgmma()) return;  // the other route waits for the offsets
  DeviceLayerRun<BFloat16> run;
  run.spec = spec_of_faults();
  prepare(cuda, 300, false, run);
  poison_outputs(cuda, run);
  forward(cuda, run);
  backward(cuda, run);
  fetch(cuda, run);
  const Buffer<BFloat16> outputs = std::move(run.outputs);
  const Buffer<BFloat16> d_inputs = std::move(run.d_inputs);
  const Buffer<float> d_w1 = std::move(run.gradients.w1);
  poison_outputs(cuda, run);
  cuda.synchronize();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t program = nullptr;
  check_cuda(cudaStreamBeginCapture(cuda.stream(), cudaStreamCaptureModeThreadLocal), "capture");
  forward(cuda, run);
  backward(cuda, run);
  check_cuda(cudaStreamEndCapture(cuda.stream(), &graph), "capture");
  check_cuda(cudaGraphInstantiate(&program, graph, 0), "cudaGraphInstantiate");
  check_cuda(cudaGraphLaunch(program, cuda.stream()), "cudaGraphLaunch");
  fetch(cuda, run);
  cudaGraphExecDestroy(program);
  cudaGraphDestroy(graph);
  require_that("outputs of the graph", have_same_bits(run.outputs, outputs));
  require_that("d_inputs of the graph", have_same_bits(run.d_inputs, d_inputs));
  require_that("d_w1 of the graph", have_same_bits(run.gradients.w1, d_w1));
}

}  // namespace

std::vector<CudaCheck> fault_checks() {
  return {{"fault_not_finite", true, check_not_finite},
          {"fault_shape", true, check_shape},
          {"fault_allocation", false, check_allocation},
          {"graph", false, check_graph}};
}

}  // namespace switchyard::kernels
