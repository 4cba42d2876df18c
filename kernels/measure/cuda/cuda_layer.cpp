#include "kernels/measure/cuda/cuda_layer.hpp"

#include <memory>

#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/moe_layer.hpp"
#include "kernels/measure/cuda/cuda_operator.hpp"
#include "kernels/run/layer_inputs.hpp"

namespace switchyard::kernels {
namespace {

RunSpec run_of(const OperatorPoint& point) {
  const auto size = [&](std::string_view name) { return static_cast<int>(size_of(point, name)); };
  return {.layer = {.d_model = size("d_model"),
                    .d_ff = size("d_ff"),
                    .num_experts = size("experts"),
                    .activation = point.activation,
                    .precision = point.is_bfloat16 ? Precision::kSelective : Precision::kFloat32,
                    .router = {.top_k = size("choices")}},
          .tokens_per_rank = size_of(point, "tokens"),
          .routing = point.skew > 0 ? InputRouting::kSkew : InputRouting::kLearned,
          .skew_exponent = point.skew > 0 ? point.skew : 1.0};
}

template <class T>
struct LayerOnGpu {
  CudaBackend& cuda;
  RunSpec run;
  StepContext step = {.seed = 1, .training = false};
  DeviceMoeWeights<T> weights = {};
  DeviceBuffer<T> inputs = {};
  DeviceBuffer<T> outputs = {};
  DeviceBuffer<T> d_outputs = {};
  DeviceBuffer<T> d_inputs = {};
  DeviceLayerState<T> state = {};
  DeviceBackwardScratch<T> scratch = {};
  DeviceMoeGradients gradients = {};
  GraphProgram forward_graph = {};
  GraphProgram backward_graph = {};
  DeviceEvent begin = make_event();
  DeviceEvent middle = make_event();
  DeviceEvent end = make_event();

  void forward() { layer_forward<T>(run.layer, step, cuda, weights, inputs, outputs, state); }
  void backward() {
    layer_backward<T>(run.layer, step, cuda, weights, inputs, state, d_outputs, scratch, d_inputs,
                      gradients);
  }

  /// Weights are drawn on the device: on the host they take longer than all repeats.
  void fill() {
    const MoeLayerSpec& layer = run.layer;
    const ExpertShape shape = device_expert_shape(layer);
    weights.experts.shape = shape;
    const std::int64_t of_expert = std::int64_t{layer.d_model} * num_first_rows(shape);
    weights.experts.w1 = device_numbers<T>(cuda, layer.num_experts * of_expert, 1);
    weights.experts.w2 =
        device_numbers<T>(cuda, std::int64_t{layer.num_experts} * layer.d_model * layer.d_ff, 2);
    Buffer<float> router;
    initialise_router(layer.num_experts, layer.d_model, step.seed, 0, router);
    copy_to_device<float>(router, weights.router, cuda.stream());
    split_router(cuda, layer, weights);
    copy_to_device<T>(make_inputs<T>(run, step, router), inputs, cuda.stream());
    d_outputs = device_numbers<T>(cuda, static_cast<std::int64_t>(inputs.size()), 3);
    outputs.resize(inputs.size());
    d_inputs.resize(inputs.size());
    resize_state(layer, step, run.tokens_per_rank, state);
    resize_scratch(layer, step, run.tokens_per_rank, weights, scratch, gradients);
  }

  [[nodiscard]] bool waits_for_loads() const {
    const ExpertShape& shape = weights.experts.shape;
    const DeviceGroupedShape first{
        .num_experts = shape.num_experts, .n = num_first_rows(shape), .k = shape.d_model};
    const DeviceGroupedShape second{
        .num_experts = shape.num_experts, .n = shape.d_model, .k = shape.d_ff};
    return !uses_wgmma<T>(cuda, first) || !uses_wgmma<T>(cuda, second);
  }

  void prepare() {
    forward();
    backward();
    require_finite_logits(cuda, run.layer, state.routing);
    if (waits_for_loads()) return;
    forward_graph = captured(cuda, [this] { forward(); });
    backward_graph = captured(cuda, [this] { backward(); });
  }

  [[nodiscard]] Sample repeat() {
    record(begin, cuda);
    if (forward_graph != nullptr)
      launch(forward_graph, cuda);
    else
      forward();
    record(middle, cuda);
    if (backward_graph != nullptr)
      launch(backward_graph, cuda);
    else
      backward();
    record(end, cuda);
    const double step_s = seconds_between(begin, end);
    return {seconds_between(begin, middle), step_s};
  }
};

template <class T>
std::function<Sample()> make(const OperatorPoint& point, CudaBackend& cuda) {
  const auto layer =
      std::shared_ptr<LayerOnGpu<T>>{new LayerOnGpu<T>{.cuda = cuda, .run = run_of(point)}};
  layer->fill();
  layer->prepare();
  return [layer] { return layer->repeat(); };
}

}  // namespace

std::function<Sample()> make_cuda_layer(const OperatorPoint& point, CudaBackend& cuda) {
  validate(run_of(point).layer);
  return point.is_bfloat16 ? make<BFloat16>(point, cuda) : make<float>(point, cuda);
}

}  // namespace switchyard::kernels
