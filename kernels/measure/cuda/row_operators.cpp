#include <string>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/cuda/cuda_operator.hpp"
#include "kernels/measure/operator_inputs.hpp"

namespace switchyard::kernels {
namespace {

MoeLayerSpec plan_layer(std::int64_t experts, std::int64_t choices) {
  return {.d_model = 8,
          .d_ff = 8,
          .num_experts = static_cast<int>(experts),
          .router = {.top_k = static_cast<int>(choices)}};
}

struct PlanState {
  MoeLayerSpec layer;
  DeviceBuffer<std::int32_t> chosen;
  DevicePlan plan;
};

/// With room for the plan, made when it is queued.
PlanState even_plan(CudaBackend& cuda, std::int64_t tokens, std::int64_t experts,
                    std::int64_t choices) {
  PlanState state{.layer = plan_layer(experts, choices), .chosen = {}, .plan = {}};
  copy_to_device<std::int32_t>(even_choices(tokens, experts, choices), state.chosen, cuda.stream());
  resize_plan(state.layer, tokens, state.plan);
  return state;
}

CudaWork plan(const OperatorPoint& point, CudaBackend& cuda) {
  return work_on(even_plan(cuda, size_of(point, "tokens"), size_of(point, "experts"),
                           size_of(point, "choices")),
                 [&cuda](PlanState& s) { build_plan(s.layer, cuda, s.chosen, s.plan); });
}

template <class T>
struct RowState {
  PlanState planned;
  DeviceBuffer<T> tokens;
  DeviceBuffer<T> rows;
  DeviceBuffer<T> other_rows;
  DeviceBuffer<float> gates;
  DeviceBuffer<float> d_gates;
  DeviceBuffer<float> addend;
};

/// permute, unpermute, combine and combine_backward, with 8 experts.
template <class T>
CudaWork move_rows(const OperatorPoint& point, CudaBackend& cuda) {
  using enum MeasuredOperator;
  const bool is_permute = point.op == kPermute;
  const std::int64_t tokens = size_of(point, is_permute ? "rows" : "tokens");
  const std::int64_t choices = is_permute ? 1 : size_of(point, "choices");
  const auto d_model = static_cast<int>(size_of(point, "d_model"));
  RowState<T> state{.planned = even_plan(cuda, tokens, 8, choices)};
  build_plan(state.planned.layer, cuda, state.planned.chosen, state.planned.plan);
  cuda.synchronize();
  state.tokens = device_numbers<T>(cuda, tokens * d_model, 1);
  state.rows = device_numbers<T>(cuda, tokens * choices * d_model, 2);
  if (point.op == kCombineBackward) {
    state.other_rows.resize(state.rows.size());
    state.d_gates.resize(static_cast<std::size_t>(tokens * choices));
  }
  if (point.op == kUnpermute) state.addend = device_numbers<float>(cuda, tokens * d_model, 3);
  state.gates = device_numbers<float>(cuda, tokens * choices, 4);
  return work_on(std::move(state), [=, &cuda, op = point.op](RowState<T>& s) {
    const DevicePlan& plan = s.planned.plan;
    if (op == kPermute)
      permute<T>(plan, cuda, d_model, s.tokens, s.rows);
    else if (op == kUnpermute)
      unpermute<T>(plan, cuda, d_model, s.rows, s.addend, s.tokens);
    else if (op == kCombine)
      combine<T>(plan, cuda, d_model, s.gates, s.rows, s.tokens);
    else
      combine_backward<T>(plan, cuda, d_model, s.gates, s.rows, s.tokens, s.other_rows, s.d_gates);
  });
}

template <class T>
struct ActivationState {
  ExpertShape shape;
  std::int64_t rows;
  DeviceBuffer<std::int32_t> num_rows;
  DeviceBuffer<T> pre;
  DeviceBuffer<T> hidden;
  DeviceBuffer<T> d_pre;

  [[nodiscard]] DeviceRowCount count() const { return {num_rows.data(), rows}; }
};

template <class T>
CudaWork activation(const OperatorPoint& point, CudaBackend& cuda) {
  const auto d_ff = static_cast<int>(size_of(point, "d_ff"));
  ActivationState<T> state{
      .shape = device_expert_shape(ExpertShape{
          .num_experts = 1, .d_model = 8, .d_ff = d_ff, .activation = point.activation}),
      .rows = size_of(point, "rows")};
  const auto num_rows = static_cast<std::int32_t>(state.rows);
  copy_to_device<std::int32_t>({&num_rows, 1}, state.num_rows, cuda.stream());
  state.pre = device_numbers<T>(cuda, state.rows * num_first_rows(state.shape), 1);
  state.hidden = device_numbers<T>(cuda, state.rows * d_ff, 2);
  if (point.op == MeasuredOperator::kActivation)
    return work_on(std::move(state), [&cuda](ActivationState<T>& s) {
      activate<T>(s.shape, cuda, s.count(), s.pre, s.hidden);
    });
  state.d_pre.resize(state.pre.size());
  return work_on(std::move(state), [&cuda](ActivationState<T>& s) {
    activate_backward<T>(s.shape, cuda, s.count(), s.pre, s.hidden, s.d_pre);
  });
}

template <class T>
CudaWork make(const OperatorPoint& point, CudaBackend& cuda) {
  using enum MeasuredOperator;
  switch (point.op) {
    case kPlan:
      return plan(point, cuda);
    case kPermute:
    case kUnpermute:
    case kCombine:
    case kCombineBackward:
      return move_rows<T>(point, cuda);
    case kActivation:
    case kActivationBackward:
      return activation<T>(point, cuda);
    default:
      throw KernelError{Fault::kSpec, "there is no CUDA kernel for " +
                                          std::string{operator_name(point.op)} +
                                          " in this repository"};
  }
}

}  // namespace

CudaWork make_row_operator(const OperatorPoint& point, CudaBackend& cuda) {
  return point.is_bfloat16 ? make<BFloat16>(point, cuda) : make<float>(point, cuda);
}

}  // namespace switchyard::kernels
