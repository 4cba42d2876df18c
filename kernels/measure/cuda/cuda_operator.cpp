#include "kernels/measure/cuda/cuda_operator.hpp"

#include <string>
#include <vector>

#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/router.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/cuda/empty_kernel.hpp"
#include "kernels/measure/operator_inputs.hpp"

namespace switchyard::kernels {
namespace {

CudaWork copy(const OperatorPoint& point, CudaBackend& cuda, DeviceMemory& memory) {
  const auto size = static_cast<std::size_t>(size_of(point, "bytes")) / sizeof(float);
  memory.floats.reserve(2 * size, memory.cache_bytes, cuda.stream());
  return {.queue =
              [=, &cuda, &memory] {
                const float* from = memory.floats.next(size);
                float* to = memory.floats.next(size);
                check_cuda(cudaMemcpyAsync(to, from, size * sizeof(float), cudaMemcpyDeviceToDevice,
                                           cuda.stream()),
                           "cudaMemcpyAsync");
              },
          .rotated_bytes = 2.0 * sizeof(float) * static_cast<double>(size)};
}

template <class T>
struct ProductState {
  std::vector<std::int32_t> offsets;
  std::int64_t rows;
  std::int64_t n;
  std::int64_t k;
  DeviceBuffer<std::int32_t> device_offsets;
  DeviceBuffer<T> left;   ///< (R, k) or, for gradients, dy (R, n)
  DeviceBuffer<T> right;  ///< what is written, or x (R, k) of a weight gradient

  [[nodiscard]] DeviceGroupedShape shape() const {
    return {.offsets = device_offsets.data(),
            .num_experts = static_cast<int>(offsets.size()) - 1,
            .max_rows = rows,
            .n = n,
            .k = k,
            .host_offsets = offsets};
  }
};

template <class T>
CudaWork product(const OperatorPoint& point, CudaBackend& cuda, DeviceMemory& memory) {
  using enum MeasuredOperator;
  ProductState<T> state{.offsets = offsets_of(point),
                        .rows = size_of(point, "rows"),
                        .n = size_of(point, "n"),
                        .k = size_of(point, "k"),
                        .device_offsets = {},
                        .left = {},
                        .right = {}};
  const bool is_forward = point.op == kGemm || point.op == kGroupedForward;
  copy_to_device<std::int32_t>(state.offsets, state.device_offsets, cuda.stream());
  state.left = device_numbers<T>(cuda, state.rows * (is_forward ? state.k : state.n), 1);
  state.right = device_numbers<T>(cuda, state.rows * (is_forward ? state.n : state.k), 2);
  const auto weights = static_cast<std::size_t>(
      static_cast<std::int64_t>(state.offsets.size() - 1) * state.n * state.k);
  CudaWork work;
  if (point.op == kGroupedWeightGradient) {
    memory.floats.reserve(weights, memory.cache_bytes, cuda.stream());
    work = work_on(std::move(state), [=, &cuda, &memory](ProductState<T>& s) {
      grouped_weight_gradient<T>(s.shape(), cuda, s.left.data(), s.right.data(),
                                 memory.floats.next(weights));
    });
    work.rotated_bytes = sizeof(float) * static_cast<double>(weights);
    return work;
  }
  memory.of<T>().reserve(weights, memory.cache_bytes, cuda.stream());
  work = work_on(std::move(state), [=, &cuda, &memory](ProductState<T>& s) {
    const T* w = memory.of<T>().next(weights);
    if (is_forward)
      grouped_forward<T>(s.shape(), cuda, s.left.data(), w, s.right.data());
    else
      grouped_data_gradient<T>(s.shape(), cuda, s.left.data(), w, s.right.data());
  });
  work.rotated_bytes = sizeof(T) * static_cast<double>(weights);
  return work;
}

template <class T>
struct RouterState {
  MoeLayerSpec layer;
  StepContext step;
  DeviceBuffer<T> inputs;
  DeviceMoeWeights<T> weights;
  DeviceRouting routing;
  RouterScratch scratch;
  DeviceBuffer<float> d_gates;
  DeviceBuffer<float> d_router;
  DeviceBuffer<float> d_inputs;
};

template <class T>
CudaWork router(const OperatorPoint& point, CudaBackend& cuda) {
  const std::int64_t tokens = size_of(point, "tokens");
  const std::int64_t d_model = size_of(point, "d_model");
  const std::int64_t experts = size_of(point, "experts");
  const std::int64_t choices = size_of(point, "choices");
  RouterState<T> state;
  state.layer = {.d_model = static_cast<int>(d_model),
                 .d_ff = 8,
                 .num_experts = static_cast<int>(experts),
                 .precision = point.is_bfloat16 ? Precision::kSelective : Precision::kFloat32,
                 .router = {.top_k = static_cast<int>(choices)}};
  state.step.training = false;
  state.inputs = device_numbers<T>(cuda, tokens * d_model, 1);
  Buffer<float> on_host;
  initialise_router(static_cast<int>(experts), static_cast<int>(d_model), 1, 0, on_host);
  copy_to_device<float>(on_host, state.weights.router, cuda.stream());
  split_router(cuda, state.layer, state.weights);
  resize_routing(state.layer, state.step, tokens, state.routing);
  if (point.op == MeasuredOperator::kRouter)
    return work_on(std::move(state), [&cuda](RouterState<T>& s) {
      route<T>(s.layer, s.step, cuda, s.inputs, s.weights, s.routing);
    });
  route<T>(state.layer, state.step, cuda, state.inputs, state.weights, state.routing);
  cuda.synchronize();
  resize_scratch(state.layer, state.step, tokens, state.scratch);
  state.d_gates = device_numbers<float>(cuda, tokens * choices, 2);
  state.d_router.resize(state.weights.router.size());
  state.d_inputs.resize(state.inputs.size());
  return work_on(std::move(state), [&cuda](RouterState<T>& s) {
    route_backward<T>(s.layer, s.step, cuda, s.inputs, s.weights, s.routing, s.d_gates, s.scratch,
                      s.d_router, s.d_inputs);
  });
}

template <class T>
CudaWork make(const OperatorPoint& point, CudaBackend& cuda, DeviceMemory& memory) {
  using enum MeasuredOperator;
  switch (point.op) {
    case kLaunch:
      return {.queue = [&cuda] { launch_empty_kernel(cuda.stream()); }, .as_graph = false};
    case kCopy:
      return copy(point, cuda, memory);
    case kGemm:
    case kGroupedForward:
    case kGroupedDataGradient:
    case kGroupedWeightGradient:
      return product<T>(point, cuda, memory);
    case kRouter:
    case kRouterBackward:
      return router<T>(point, cuda);
    default:
      return make_row_operator(point, cuda);
  }
}

}  // namespace

CudaWork make_cuda_operator(const OperatorPoint& point, CudaBackend& cuda, DeviceMemory& memory) {
  return point.is_bfloat16 ? make<BFloat16>(point, cuda, memory) : make<float>(point, cuda, memory);
}

}  // namespace switchyard::kernels
