#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/check/numbers.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/permute.hpp"
#include "kernels/cuda/plan.hpp"
#include "kernels/measure/cuda/check_cuda_kernels.hpp"
#include "kernels/measure/operator_inputs.hpp"

namespace switchyard::kernels {
namespace {

using enum MeasuredOperator;
using Doubles = std::vector<double>;

template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? 1e-5 : 4e-3;

constexpr std::size_t kTokens = 301;
constexpr std::size_t kModel = 72;
constexpr std::size_t kChoices = 2;
constexpr std::size_t kRows = kTokens * kChoices;

MoeLayerSpec layer() {
  return {.d_model = kModel, .d_ff = 8, .num_experts = 8, .router = {.top_k = kChoices}};
}

/// The plan on both sides.
struct PlannedRows {
  DispatchPlan plan;
  DevicePlan on_device;
};

PlannedRows planned(CudaBackend& cuda) {
  PlannedRows rows;
  const auto chosen = even_choices(kTokens, 8, kChoices);
  build_plan(layer(), chosen, rows.plan);
  DeviceBuffer<std::int32_t> device_chosen;
  copy_to_device<std::int32_t>(chosen, device_chosen, cuda.stream());
  resize_plan(layer(), kTokens, rows.on_device);
  build_plan(layer(), cuda, device_chosen, rows.on_device);
  cuda.synchronize();
  return rows;
}

void check_plan(CudaBackend& cuda) {
  const PlannedRows rows = planned(cuda);
  DispatchPlan got;
  download(cuda, rows.on_device, got);
  require_that("another plan", have_same_bits(got.dst_row, rows.plan.dst_row) &&
                                   have_same_bits(got.offsets, rows.plan.offsets) &&
                                   have_same_bits(got.source_token, rows.plan.source_token));
}

/// Row of a token's choice in expert order.
std::size_t row_of(const DispatchPlan& plan, std::size_t token, std::size_t choice) {
  return static_cast<std::size_t>(plan.dst_row[token * kChoices + choice]);
}

/// Random numbers on both sides.
template <class T>
struct Both {
  Both(CudaBackend& cuda, std::size_t size, std::uint64_t seed)
      : host{uniform_numbers<T>(size, seed)}, exact{in_double(host)} {
    copy_to_device<T>(host, device, cuda.stream());
  }
  Buffer<T> host;
  Doubles exact;
  DeviceBuffer<T> device;
};

template <class T>
void check_permute(CudaBackend& cuda) {
  const PlannedRows rows = planned(cuda);
  const Both<T> tokens{cuda, kTokens * kModel, 1};
  DeviceBuffer<T> got;
  poison(got, kRows * kModel, cuda.stream());
  permute<T>(rows.on_device, cuda, kModel, tokens.device, got);
  Doubles expected(kRows * kModel);
  for (std::size_t t = 0; t < kTokens; ++t)
    for (std::size_t j = 0; j < kChoices; ++j)
      std::copy_n(&tokens.exact[t * kModel], kModel, &expected[row_of(rows.plan, t, j) * kModel]);
  require_error("rows", frobenius_error(on_host(got, cuda.stream()), expected), 0.0);
}

/// combine, with gates, and unpermute, with an addend.
template <class T>
void check_sums(CudaBackend& cuda, bool has_gates) {
  const PlannedRows rows = planned(cuda);
  const Both<T> numbers{cuda, kRows * kModel, 1};
  const Both<float> gates{cuda, kRows, 2};
  const Both<float> addend{cuda, kTokens * kModel, 3};
  DeviceBuffer<T> got;
  poison(got, kTokens * kModel, cuda.stream());
  if (has_gates)
    combine<T>(rows.on_device, cuda, kModel, gates.device, numbers.device, got);
  else
    unpermute<T>(rows.on_device, cuda, kModel, numbers.device, addend.device, got);
  Doubles expected = has_gates ? Doubles(kTokens * kModel) : addend.exact;
  for (std::size_t t = 0; t < kTokens; ++t)
    for (std::size_t j = 0; j < kChoices; ++j)
      for (std::size_t i = 0; i < kModel; ++i)
        expected[t * kModel + i] += (has_gates ? gates.exact[t * kChoices + j] : 1.0) *
                                    numbers.exact[row_of(rows.plan, t, j) * kModel + i];
  require_error("sums", frobenius_error(on_host(got, cuda.stream()), expected), kTolerance<T>);
}

template <class T>
void check_combine_backward(CudaBackend& cuda) {
  const PlannedRows rows = planned(cuda);
  const Both<T> numbers{cuda, kRows * kModel, 1};
  const Both<float> gates{cuda, kRows, 2};
  const Both<T> d_outputs{cuda, kTokens * kModel, 3};
  DeviceBuffer<T> d_rows;
  DeviceBuffer<float> d_gates;
  poison(d_rows, kRows * kModel, cuda.stream());
  poison(d_gates, kRows, cuda.stream());
  combine_backward<T>(rows.on_device, cuda, kModel, gates.device, numbers.device, d_outputs.device,
                      d_rows, d_gates);
  Doubles expected_rows(kRows * kModel);
  Doubles expected_gates(kRows);
  for (std::size_t t = 0; t < kTokens; ++t)
    for (std::size_t j = 0; j < kChoices; ++j)
      for (std::size_t i = 0; i < kModel; ++i) {
        const std::size_t at = row_of(rows.plan, t, j) * kModel + i;
        const double d = d_outputs.exact[t * kModel + i];
        expected_rows[at] = gates.exact[t * kChoices + j] * d;
        expected_gates[t * kChoices + j] += d * numbers.exact[at];
      }
  require_error("gradients of rows", frobenius_error(on_host(d_rows, cuda.stream()), expected_rows),
                kTolerance<T>);
  require_error("gradients of gates",
                frobenius_error(on_host(d_gates, cuda.stream()), expected_gates), 1e-5);
}

/// hidden and gradients of pre (rows, N1), of ReLU and of SwiGLU.
template <class T>
void check_activation(CudaBackend& cuda, Activation activation, bool is_backward) {
  const ExpertShape shape = device_expert_shape(
      ExpertShape{.num_experts = 1, .d_model = 8, .d_ff = 136, .activation = activation});
  const auto width = static_cast<std::size_t>(num_first_rows(shape));
  const auto d_ff = static_cast<std::size_t>(shape.d_ff);
  const Both<T> pre{cuda, kTokens * width, 1};
  const Both<T> d_hidden{cuda, kTokens * d_ff, 2};
  const auto count = static_cast<std::int32_t>(kTokens);
  DeviceBuffer<std::int32_t> num_rows;
  copy_to_device<std::int32_t>({&count, 1}, num_rows, cuda.stream());
  const DeviceRowCount rows{num_rows.data(), count};
  DeviceBuffer<T> got;
  poison(got, kTokens * (is_backward ? width : d_ff), cuda.stream());
  if (is_backward)
    activate_backward<T>(shape, cuda, rows, pre.device, d_hidden.device, got);
  else
    activate<T>(shape, cuda, rows, pre.device, got);
  Doubles expected(got.size());
  for (std::size_t r = 0; r < kTokens; ++r)
    for (int j = 0; j < shape.d_ff; ++j) {
      const auto column = static_cast<std::size_t>(j);
      const auto up = r * width + static_cast<std::size_t>(first_row(shape, j, true));
      const auto gate = r * width + static_cast<std::size_t>(first_row(shape, j, false));
      const double u = pre.exact[up];
      const double g = pre.exact[gate];
      const double sigmoid = 1.0 / (1.0 + std::exp(-g));
      const double d = d_hidden.exact[r * d_ff + column];
      const bool gated = is_glu(activation);
      if (!is_backward) {
        expected[r * d_ff + column] = gated ? g * sigmoid * u : std::max(u, 0.0);
      } else if (!gated) {
        expected[up] = u > 0.0 ? d : 0.0;
      } else {
        expected[up] = d * g * sigmoid;
        expected[gate] = d * u * sigmoid * (1.0 + g * (1.0 - sigmoid));
      }
    }
  require_error(is_backward ? "gradients" : "hidden numbers",
                frobenius_error(on_host(got, cuda.stream()), expected), kTolerance<T>);
}

template <class T>
void add_row_checks(std::vector<OperatorCheck>& checks) {
  constexpr bool kNarrow = !std::is_same_v<T, float>;
  checks.push_back({{kPermute}, kNarrow, check_permute<T>});
  checks.push_back({{kCombine}, kNarrow, [](CudaBackend& cuda) { check_sums<T>(cuda, true); }});
  checks.push_back({{kUnpermute}, kNarrow, [](CudaBackend& cuda) { check_sums<T>(cuda, false); }});
  checks.push_back({{kCombineBackward}, kNarrow, check_combine_backward<T>});
  for (const bool is_backward : {false, true})
    checks.push_back(
        {{is_backward ? kActivationBackward : kActivation}, kNarrow, [=](CudaBackend& cuda) {
           for (const auto activation : {Activation::kRelu, Activation::kSwiglu})
             check_activation<T>(cuda, activation, is_backward);
         }});
}

}  // namespace

std::vector<OperatorCheck> row_checks() {
  std::vector<OperatorCheck> checks{{{kPlan}, false, check_plan}};
  add_row_checks<float>(checks);
  add_row_checks<BFloat16>(checks);
  return checks;
}

}  // namespace switchyard::kernels
