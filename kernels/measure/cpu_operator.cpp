#include "kernels/measure/cpu_operator.hpp"

#include <cstring>
#include <memory>
#include <string>

#include "kernels/bench/attention.hpp"
#include "kernels/bench/blas.hpp"
#include "kernels/bench/layer_norm.hpp"
#include "kernels/check/numbers.hpp"
#include "kernels/cpu/activation.hpp"
#include "kernels/cpu/grouped_gemm.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/operator_inputs.hpp"

namespace switchyard::kernels {
namespace {

using Work = std::function<void()>;

template <class T>
Buffer<T> numbers(std::int64_t size, std::uint64_t seed) {
  return repeated_numbers<T>(static_cast<std::size_t>(size), seed);
}

template <class T>
RotatedMemory<T>& rotated(MeasureMemory& memory);
template <>
RotatedMemory<float>& rotated(MeasureMemory& memory) {
  return memory.floats;
}
template <>
RotatedMemory<BFloat16>& rotated(MeasureMemory& memory) {
  return memory.bfloats;
}

/// std::function must be copied; buffers are not.
template <class State, class Run>
Work work_of(State state, const Run& run) {
  return [shared = std::make_shared<State>(std::move(state)), run] { run(*shared); };
}

Work launch(const CpuBackend& cpu) {
  return [cpu] { parallel_for(cpu, 64, [](std::int64_t, int) {}); };
}

struct CopyState {
  Buffer<float> from;
  Buffer<float> to;
};

/// The same buffers each time, as those of activations: what the caches and the memory give.
Work copy(const OperatorPoint& point, const CpuBackend& cpu) {
  const std::int64_t size = size_of(point, "bytes") / static_cast<std::int64_t>(sizeof(float));
  CopyState state{numbers<float>(size, 1), Buffer<float>(static_cast<std::size_t>(size))};
  return work_of(std::move(state), [=](CopyState& s) {
    const std::int64_t piece = std::max<std::int64_t>(1, size / 64);
    parallel_for(cpu, 64, [=, &s](std::int64_t i, int) {
      const std::int64_t begin = i * piece;
      const std::int64_t end = i == 63 ? size : begin + piece;
      if (begin >= end) return;
      std::memcpy(s.to.data() + begin, s.from.data() + begin,
                  static_cast<std::size_t>(end - begin) * sizeof(float));
    });
  });
}

template <class T>
struct ProductState {
  std::vector<std::int32_t> offsets;
  std::int64_t n;
  std::int64_t k;
  Buffer<T> left;   ///< (R, k) or, for gradients, dy (R, n)
  Buffer<T> right;  ///< what is written, or x (R, k) of a weight gradient

  [[nodiscard]] GroupedShape shape() const { return {.offsets = offsets, .n = n, .k = k}; }
};

template <class T>
Work product(const OperatorPoint& point, const CpuBackend& cpu, MeasureMemory& memory) {
  const std::int64_t rows = size_of(point, "rows");
  ProductState<T> state{offsets_of(point), size_of(point, "n"), size_of(point, "k"), {}, {}};
  const auto weights = static_cast<std::size_t>(
      static_cast<std::int64_t>(state.offsets.size() - 1) * state.n * state.k);
  const bool is_forward =
      point.op == MeasuredOperator::kGemm || point.op == MeasuredOperator::kGroupedForward;
  state.left = numbers<T>(rows * (is_forward ? state.k : state.n), 1);
  state.right = numbers<T>(rows * (is_forward ? state.n : state.k), 2);
  if (point.op == MeasuredOperator::kGroupedWeightGradient) {
    memory.floats.reserve(weights);
    return work_of(std::move(state), [=, &memory](ProductState<T>& s) {
      grouped_weight_gradient<T>(s.shape(), cpu, s.left.data(), s.right.data(),
                                 memory.floats.next(weights));
    });
  }
  rotated<T>(memory).reserve(weights);
  return work_of(std::move(state), [=, &memory](ProductState<T>& s) {
    const T* w = rotated<T>(memory).next(weights);
    if (is_forward)
      grouped_forward<T>(s.shape(), cpu, s.left.data(), w, s.right.data());
    else
      grouped_data_gradient<T>(s.shape(), cpu, s.left.data(), w, s.right.data());
  });
}

template <class T>
struct RouterState {
  MoeLayerSpec layer;
  Buffer<T> inputs;
  Buffer<float> router;
  Routing routing;
  Buffer<float> d_gates;
  Buffer<float> d_router;
  Buffer<float> d_inputs;
};

template <class T>
Work router(const OperatorPoint& point, const CpuBackend& cpu) {
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
  state.inputs = numbers<T>(tokens * d_model, 1);
  initialise_router(static_cast<int>(experts), static_cast<int>(d_model), 1, 0, state.router);
  if (point.op == MeasuredOperator::kRouter)
    return work_of(std::move(state), [=](RouterState<T>& s) {
      route<T>(s.layer, {}, cpu, s.inputs, s.router, s.routing);
    });
  route<T>(state.layer, {}, cpu, state.inputs, state.router, state.routing);
  state.d_gates = numbers<float>(tokens * choices, 2);
  state.d_router.resize(state.router.size());
  state.d_inputs.resize(state.inputs.size());
  return work_of(std::move(state), [=](RouterState<T>& s) {
    route_backward<T>(s.layer, {}, cpu, s.inputs, s.router, s.routing, s.d_gates, s.d_router,
                      s.d_inputs);
  });
}

MoeLayerSpec plan_layer(std::int64_t experts, std::int64_t choices) {
  return {.d_model = 8,
          .d_ff = 8,
          .num_experts = static_cast<int>(experts),
          .router = {.top_k = static_cast<int>(choices)}};
}

struct PlanState {
  MoeLayerSpec layer;
  Buffer<std::int32_t> chosen;
  DispatchPlan plan;
};

Work plan(const OperatorPoint& point) {
  const std::int64_t experts = size_of(point, "experts");
  const std::int64_t choices = size_of(point, "choices");
  return work_of(PlanState{plan_layer(experts, choices),
                           even_choices(size_of(point, "tokens"), experts, choices),
                           {}},
                 [](PlanState& s) { build_plan(s.layer, s.chosen, s.plan); });
}

template <class T>
struct RowState {
  DispatchPlan plan;
  Buffer<T> tokens;
  Buffer<T> rows;
  Buffer<T> other_rows;
  Buffer<float> gates;
  Buffer<float> d_gates;
  Buffer<float> addend;
};

/// permute, unpermute, combine and combine_backward, with 8 experts.
template <class T>
Work move_rows(const OperatorPoint& point, const CpuBackend& cpu) {
  using enum MeasuredOperator;
  const bool is_permute = point.op == kPermute;
  const std::int64_t tokens = size_of(point, is_permute ? "rows" : "tokens");
  const std::int64_t choices = is_permute ? 1 : size_of(point, "choices");
  const auto d_model = static_cast<int>(size_of(point, "d_model"));
  RowState<T> state;
  build_plan(plan_layer(8, choices), even_choices(tokens, 8, choices), state.plan);
  state.tokens = numbers<T>(tokens * d_model, 1);
  state.rows = numbers<T>(tokens * choices * d_model, 2);
  if (point.op == kCombineBackward) {
    state.other_rows.resize(state.rows.size());
    state.d_gates.resize(static_cast<std::size_t>(tokens * choices));
  }
  if (point.op == kUnpermute) state.addend = numbers<float>(tokens * d_model, 3);
  state.gates = numbers<float>(tokens * choices, 4);
  return work_of(std::move(state), [=, op = point.op](RowState<T>& s) {
    if (op == kPermute)
      permute<T>(s.plan, cpu, d_model, s.tokens, s.rows);
    else if (op == kUnpermute)
      unpermute<T>(s.plan, cpu, d_model, s.rows, s.addend, s.tokens);
    else if (op == kCombine)
      combine<T>(s.plan, cpu, d_model, s.gates, s.rows, s.tokens);
    else
      combine_backward<T>(s.plan, cpu, d_model, s.gates, s.rows, s.tokens, s.other_rows, s.d_gates);
  });
}

template <class T>
struct ActivationState {
  ExpertShape shape;
  Buffer<T> pre;
  Buffer<T> hidden;
  Buffer<T> d_pre;
};

template <class T>
Work activation(const OperatorPoint& point, const CpuBackend& cpu) {
  const std::int64_t rows = size_of(point, "rows");
  const std::int64_t d_ff = size_of(point, "d_ff");
  ActivationState<T> state{.shape = {.num_experts = 1,
                                     .d_model = 8,
                                     .d_ff = static_cast<int>(d_ff),
                                     .activation = point.activation},
                           .pre = {},
                           .hidden = numbers<T>(rows * d_ff, 2),
                           .d_pre = {}};
  state.pre = numbers<T>(rows * num_first_rows(state.shape), 1);
  if (point.op == MeasuredOperator::kActivation)
    return work_of(std::move(state),
                   [=](ActivationState<T>& s) { activate<T>(s.shape, cpu, s.pre, s.hidden); });
  state.d_pre.resize(state.pre.size());
  return work_of(std::move(state), [=](ActivationState<T>& s) {
    activate_backward<T>(s.shape, cpu, s.pre, s.hidden, s.d_pre);
  });
}

template <class T>
struct NormState {
  NormShape shape;
  Buffer<T> x;
  Buffer<float> scale;
  Buffer<T> y;
};

template <class T>
Work layer_norm(const OperatorPoint& point, const CpuBackend& cpu) {
  const std::int64_t rows = size_of(point, "rows");
  const std::int64_t columns = size_of(point, "d_model");
  NormState<T> state{.shape = {.rows = rows, .columns = static_cast<int>(columns)},
                     .x = numbers<T>(rows * columns, 1),
                     .scale = numbers<float>(columns, 2),
                     .y = Buffer<T>(static_cast<std::size_t>(rows * columns))};
  return work_of(std::move(state),
                 [=](NormState<T>& s) { normalise<T>(s.shape, cpu, s.x, s.scale, s.y); });
}

struct AttentionState {
  AttentionShape shape;
  AttentionData data;
  AttentionScratch scratch;
};

/// In float, with the keys and values that decoding reads from memory always the same.
Work attention_of(const OperatorPoint& point, const CpuBackend& cpu) {
  const bool is_prefill = point.op == MeasuredOperator::kAttentionPrefill;
  if (is_prefill && !has_blas())
    throw KernelError{Fault::kSpec,
                      "attention_prefill is measured through a BLAS, which this build has not"};
  AttentionState state;
  state.shape = {.sequences = static_cast<int>(size_of(point, "sequences")),
                 .queries = is_prefill ? size_of(point, "tokens") : 1,
                 .keys = size_of(point, is_prefill ? "tokens" : "keys"),
                 .query_heads = static_cast<int>(size_of(point, "heads")),
                 .kv_heads = static_cast<int>(size_of(point, "kv_heads")),
                 .head_width = static_cast<int>(size_of(point, "d_head"))};
  state.data = random_attention(state.shape);
  return work_of(std::move(state),
                 [=](AttentionState& s) { attention(s.shape, cpu, arrays_of(s.data), s.scratch); });
}

template <class T>
Work make(const OperatorPoint& point, const CpuBackend& cpu, MeasureMemory& memory) {
  using enum MeasuredOperator;
  switch (point.op) {
    case kLaunch:
      return launch(cpu);
    case kCopy:
      return copy(point, cpu);
    case kGemm:
    case kGroupedForward:
    case kGroupedDataGradient:
    case kGroupedWeightGradient:
      return product<T>(point, cpu, memory);
    case kRouter:
    case kRouterBackward:
      return router<T>(point, cpu);
    case kPlan:
      return plan(point);
    case kPermute:
    case kUnpermute:
    case kCombine:
    case kCombineBackward:
      return move_rows<T>(point, cpu);
    case kActivation:
    case kActivationBackward:
      return activation<T>(point, cpu);
    case kLayerNorm:
      return layer_norm<T>(point, cpu);
    case kAttentionPrefill:
    case kAttentionDecode:
      return attention_of(point, cpu);
    default:
      throw KernelError{Fault::kSpec,
                        "the CPU backend does not measure " + std::string{operator_name(point.op)}};
  }
}

}  // namespace

std::function<void()> make_cpu_operator(const OperatorPoint& point, const CpuBackend& cpu,
                                        MeasureMemory& memory) {
  return point.is_bfloat16 ? make<BFloat16>(point, cpu, memory) : make<float>(point, cpu, memory);
}

}  // namespace switchyard::kernels
