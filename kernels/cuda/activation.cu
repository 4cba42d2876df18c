#include "kernels/cpu/shape_check.hpp"
#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/activation_functions.cuh"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

constexpr int kThreads = 256;

/// A thread's kCount hidden numbers of one row, and where their gates and ups lie.
struct Place {
  std::int64_t row;
  int hidden;
  int gate;
  int up;
};

/// Row beyond num_rows: the thread has nothing to do.
template <int kCount>
__device__ Place place_of_thread(const ExpertShape& shape) {
  const std::int64_t index = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kCount;
  const std::int64_t row = index / shape.d_ff;
  const auto hidden = static_cast<int>(index - row * shape.d_ff);
  return {row, hidden, first_row(shape, hidden, false), first_row(shape, hidden, true)};
}

template <class T, int kCount>
__global__ void __launch_bounds__(kThreads)
    activate_kernel(ExpertShape shape, const std::int32_t* num_rows, const T* pre, T* hidden) {
  using Packed = Pack<T, kCount>;
  const Place at = place_of_thread<kCount>(shape);
  if (at.row >= *num_rows) return;
  const T* row = pre + at.row * num_first_rows(shape);
  const auto gate = *reinterpret_cast<const Packed*>(row + at.gate);
  const auto up = *reinterpret_cast<const Packed*>(row + at.up);
  Packed result;
#pragma unroll
  for (int i = 0; i < kCount; ++i)
    result.values[i] = rounded_to<T>(
        activated<T>(shape.activation, to_float(gate.values[i]), to_float(up.values[i])));
  *reinterpret_cast<Packed*>(hidden + at.row * shape.d_ff + at.hidden) = result;
}

template <class T, int kCount>
__global__ void __launch_bounds__(kThreads)
    activate_backward_kernel(ExpertShape shape, const std::int32_t* num_rows, const T* pre,
                             const T* d_hidden, T* d_pre) {
  using Packed = Pack<T, kCount>;
  const Place at = place_of_thread<kCount>(shape);
  if (at.row >= *num_rows) return;
  const std::int64_t row = at.row * num_first_rows(shape);
  const auto gate = *reinterpret_cast<const Packed*>(pre + row + at.gate);
  const auto up = *reinterpret_cast<const Packed*>(pre + row + at.up);
  const auto d = *reinterpret_cast<const Packed*>(d_hidden + at.row * shape.d_ff + at.hidden);
  Packed d_gate;
  Packed d_up;
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    const float upper = to_float(d.values[i]);
    if (shape.activation == Activation::kRelu) {
      d_up.values[i] = rounded_to<T>(to_float(up.values[i]) <= 0.0F ? 0.0F : upper);
      continue;
    }
    const auto [value, slope] = gate_slope<T>(shape.activation, to_float(gate.values[i]));
    d_gate.values[i] = rounded_to<T>(upper * to_float(up.values[i]) * slope);
    d_up.values[i] = rounded_to<T>(upper * value);
  }
  if (is_glu(shape.activation)) *reinterpret_cast<Packed*>(d_pre + row + at.gate) = d_gate;
  *reinterpret_cast<Packed*>(d_pre + row + at.up) = d_up;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    drop_out_kernel(ExpertShape shape, DeviceDropout dropout, const std::int32_t* num_rows,
                    T* hidden) {
  const Place at = place_of_thread<1>(shape);
  if (at.row >= *num_rows) return;
  const std::int64_t id =
      dropout.row_ids != nullptr
          ? dropout.row_ids[at.row]
          : (dropout.first_token + dropout.source_token[at.row]) * dropout.top_k +
                dropout.source_choice[at.row];
  const auto counter =
      static_cast<std::uint64_t>(id * dropout.all_hidden + dropout.first_hidden + at.hidden);
  const auto rate = static_cast<float>(dropout.rate);
  T& x = hidden[at.row * shape.d_ff + at.hidden];
  const bool is_lost = uniform_at(dropout.stream, counter) < rate;
  x = rounded_to<T>(is_lost ? 0.0F : to_float(x) / (1.0F - rate));
}

unsigned blocks_for(std::int64_t threads) {
  return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

/// Calls body with std::integral_constant: the hidden numbers of a thread.
template <class Body>
void with_packs(const ExpertShape& shape, const Body& body) {
  if (shape.d_ff % 8 == 0)
    body(std::integral_constant<int, 8>{});
  else
    body(std::integral_constant<int, 1>{});
}

}  // namespace

template <class T>
void activate(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
              std::span<const T> pre, std::span<T> hidden) {
  require_size("pre", pre.size(), rows.max_rows, num_first_rows(shape));
  require_size("hidden", hidden.size(), rows.max_rows, shape.d_ff);
  if (rows.max_rows == 0) return;
  with_packs(shape, [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    const auto blocks = blocks_for(rows.max_rows * (shape.d_ff / kCount));
    activate_kernel<T, kCount>
        <<<blocks, kThreads, 0, cuda.stream()>>>(shape, rows.num_rows, pre.data(), hidden.data());
    check_launch("activate_kernel");
  });
}

template <class T>
void activate_backward(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
                       std::span<const T> pre, std::span<const T> d_hidden, std::span<T> d_pre) {
  require_size("pre", pre.size(), rows.max_rows, num_first_rows(shape));
  require_size("d_hidden", d_hidden.size(), rows.max_rows, shape.d_ff);
  require_size("d_pre", d_pre.size(), rows.max_rows, num_first_rows(shape));
  if (rows.max_rows == 0) return;
  with_packs(shape, [&](auto count) {
    constexpr int kCount = decltype(count)::value;
    const auto blocks = blocks_for(rows.max_rows * (shape.d_ff / kCount));
    activate_backward_kernel<T, kCount><<<blocks, kThreads, 0, cuda.stream()>>>(
        shape, rows.num_rows, pre.data(), d_hidden.data(), d_pre.data());
    check_launch("activate_backward_kernel");
  });
}

template <class T>
void drop_out(const ExpertShape& shape, const DeviceDropout& dropout, CudaBackend& cuda,
              DeviceRowCount rows, std::span<T> hidden) {
  if (dropout.rate == 0.0 || rows.max_rows == 0) return;
  require_size("hidden", hidden.size(), rows.max_rows, shape.d_ff);
  drop_out_kernel<T><<<blocks_for(rows.max_rows * shape.d_ff), kThreads, 0, cuda.stream()>>>(
      shape, dropout, rows.num_rows, hidden.data());
  check_launch("drop_out_kernel");
}

template void activate(const ExpertShape&, CudaBackend&, DeviceRowCount, std::span<const float>,
                       std::span<float>);
template void activate(const ExpertShape&, CudaBackend&, DeviceRowCount, std::span<const BFloat16>,
                       std::span<BFloat16>);
template void activate_backward(const ExpertShape&, CudaBackend&, DeviceRowCount,
                                std::span<const float>, std::span<const float>, std::span<float>);
template void activate_backward(const ExpertShape&, CudaBackend&, DeviceRowCount,
                                std::span<const BFloat16>, std::span<const BFloat16>,
                                std::span<BFloat16>);
template void drop_out(const ExpertShape&, const DeviceDropout&, CudaBackend&, DeviceRowCount,
                       std::span<float>);
template void drop_out(const ExpertShape&, const DeviceDropout&, CudaBackend&, DeviceRowCount,
                       std::span<BFloat16>);

}  // namespace switchyard::kernels
