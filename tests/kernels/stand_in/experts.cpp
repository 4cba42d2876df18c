// The experts' products and activations of the CUDA backend, number by number, queued.

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {
namespace {

/// A matrix with an element (i, j) at data[i * row_stride + j * column_stride].
template <class T>
struct Strided {
  const T* data;
  std::int64_t row_stride;
  std::int64_t column_stride;

  [[nodiscard]] float at(std::int64_t i, std::int64_t j) const {
    return to_float(data[i * row_stride + j * column_stride]);
  }
};

/// c (m, n) = a (m, k) @ b (k, n).
template <class T, class C>
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, Strided<T> a, Strided<T> b, C* c) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      float sum = 0.0F;
      for (std::int64_t l = 0; l < k; ++l) sum += a.at(i, l) * b.at(l, j);
      c[i * n + j] = from_float<C>(sum);
    }
}

/// Calls product(expert, first row, number of rows). What the host knows must be what is true.
template <class Product>
void for_each_expert(const DeviceGroupedShape& shape, const Product& product) {
  const auto& known = shape.host_offsets;
  if (!known.empty() && !std::equal(known.begin(), known.end(), shape.offsets)) std::abort();
  if (shape.offsets[shape.num_experts] > shape.max_rows) std::abort();
  for (std::int64_t e = 0; e < shape.num_experts; ++e)
    product(e, shape.offsets[e], shape.offsets[e + 1] - shape.offsets[e]);
}

/// Calls body(row, hidden column, columns of gate and up in row-major pre).
template <class Body>
void for_each_hidden(const ExpertShape& shape, const std::int32_t* num_rows, const Body& body) {
  for (std::int64_t row = 0; row < *num_rows; ++row)
    for (int j = 0; j < shape.d_ff; ++j) {
      const std::int64_t begin = row * num_first_rows(shape);
      body(row * shape.d_ff + j, begin + first_row(shape, j, false),
           begin + first_row(shape, j, true));
    }
}

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

template <class T>
void activate_rows(const ExpertShape& shape, const std::int32_t* num_rows, const T* pre,
                   T* hidden) {
  if (shape.activation == Activation::kGeglu) std::abort();
  for_each_hidden(shape, num_rows, [&](std::int64_t at, std::int64_t gate, std::int64_t up) {
    const float g = to_float(pre[gate]);
    const float u = to_float(pre[up]);
    hidden[at] = from_float<T>(is_glu(shape.activation) ? g * sigmoid(g) * u : std::max(u, 0.0F));
  });
}

/// Products that nobody waits for: what is timed here is the host's side.
bool is_large(const DeviceGroupedShape& shape) {
  return static_cast<double>(shape.max_rows) * static_cast<double>(shape.n) *
             static_cast<double>(shape.k) >
         1e8;
}

}  // namespace

template <class T>
bool uses_wgmma(const CudaBackend& /*cuda*/, const DeviceGroupedShape& /*shape*/) {
  return false;
}
template bool uses_wgmma<float>(const CudaBackend&, const DeviceGroupedShape&);
template bool uses_wgmma<BFloat16>(const CudaBackend&, const DeviceGroupedShape&);

template <class T>
void grouped_forward(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* x, const T* w,
                     T* y) {
  if (is_large(shape)) return;
  queue_on(cuda.stream(), [=] {
    for_each_expert(shape, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
      multiply<T, T>(rows, shape.n, shape.k, {x + row * shape.k, shape.k, 1},
                     {w + e * shape.n * shape.k, 1, shape.k}, y + row * shape.n);
    });
  });
}

template <class T>
void grouped_data_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                           const T* w, T* dx) {
  if (is_large(shape)) return;
  queue_on(cuda.stream(), [=] {
    for_each_expert(shape, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
      multiply<T, T>(rows, shape.k, shape.n, {dy + row * shape.n, shape.n, 1},
                     {w + e * shape.n * shape.k, shape.k, 1}, dx + row * shape.k);
    });
  });
}

template <class T>
void grouped_weight_gradient(const DeviceGroupedShape& shape, CudaBackend& cuda, const T* dy,
                             const T* x, float* dw) {
  if (is_large(shape)) return;
  queue_on(cuda.stream(), [=] {
    for_each_expert(shape, [&](std::int64_t e, std::int64_t row, std::int64_t rows) {
      multiply<T, float>(shape.n, shape.k, rows, {dy + row * shape.n, 1, shape.n},
                         {x + row * shape.k, shape.k, 1}, dw + e * shape.n * shape.k);
    });
  });
}

template <class T>
void activate(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
              std::span<const T> pre, std::span<T> hidden) {
  queue_on(cuda.stream(),
           [=] { activate_rows<T>(shape, rows.num_rows, pre.data(), hidden.data()); });
}

/// GEGLU is not among the checks.
template <class T>
void grouped_forward_activated(const DeviceGroupedShape& shape, const ExpertShape& experts,
                               CudaBackend& cuda, const T* x, const T* w, T* pre, T* hidden) {
  grouped_forward(shape, cuda, x, w, pre);
  if (is_large(shape)) return;
  queue_on(cuda.stream(),
           [=] { activate_rows(experts, shape.offsets + shape.num_experts, pre, hidden); });
}

template <class T>
void activate_backward(const ExpertShape& shape, CudaBackend& cuda, DeviceRowCount rows,
                       std::span<const T> pre, std::span<const T> d_hidden, std::span<T> d_pre) {
  if (d_hidden.size() > 1'000'000) return;
  queue_on(cuda.stream(), [=] {
    for_each_hidden(shape, rows.num_rows, [&](std::int64_t at, std::int64_t gate, std::int64_t up) {
      const auto number = [](std::span<const T> of, std::int64_t i) {
        return to_float(of[static_cast<std::size_t>(i)]);
      };
      const float d = number(d_hidden, at);
      const float u = number(pre, up);
      T& d_up = d_pre[static_cast<std::size_t>(up)];
      if (!is_glu(shape.activation)) {
        d_up = from_float<T>(u > 0.0F ? d : 0.0F);
        return;
      }
      const float g = number(pre, gate);
      const float s = sigmoid(g);
      d_up = from_float<T>(d * g * s);
      d_pre[static_cast<std::size_t>(gate)] = from_float<T>(d * u * s * (1 + g * (1 - s)));
    });
  });
}

template <class T>
void drop_out(const ExpertShape& shape, const DeviceDropout& dropout, CudaBackend& cuda,
              DeviceRowCount rows, std::span<T> hidden) {
  if (dropout.rate == 0.0 || rows.max_rows == 0) return;
  queue_on(cuda.stream(), [=] {
    const auto rate = static_cast<float>(dropout.rate);
    for (std::int64_t i = 0; i < std::int64_t{*rows.num_rows} * shape.d_ff; ++i) {
      const std::int64_t id = dropout.row_ids[i / shape.d_ff];
      const auto counter = static_cast<std::uint64_t>(id * dropout.all_hidden +
                                                      dropout.first_hidden + i % shape.d_ff);
      T& x = hidden[static_cast<std::size_t>(i)];
      x = from_float<T>(uniform_at(dropout.stream, counter) < rate ? 0.0F
                                                                   : to_float(x) / (1.0F - rate));
    }
  });
}

template void grouped_forward(const DeviceGroupedShape&, CudaBackend&, const float*, const float*,
                              float*);
template void grouped_data_gradient(const DeviceGroupedShape&, CudaBackend&, const float*,
                                    const float*, float*);
template void grouped_weight_gradient(const DeviceGroupedShape&, CudaBackend&, const float*,
                                      const float*, float*);
template void grouped_forward_activated(const DeviceGroupedShape&, const ExpertShape&, CudaBackend&,
                                        const float*, const float*, float*, float*);
template void activate(const ExpertShape&, CudaBackend&, DeviceRowCount, std::span<const float>,
                       std::span<float>);
template void activate(const ExpertShape&, CudaBackend&, DeviceRowCount, std::span<const BFloat16>,
                       std::span<BFloat16>);
template void activate_backward(const ExpertShape&, CudaBackend&, DeviceRowCount,
                                std::span<const float>, std::span<const float>, std::span<float>);
template void drop_out(const ExpertShape&, const DeviceDropout&, CudaBackend&, DeviceRowCount,
                       std::span<float>);
template void grouped_forward(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                              const BFloat16*, BFloat16*);
template void grouped_data_gradient(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                                    const BFloat16*, BFloat16*);
template void grouped_weight_gradient(const DeviceGroupedShape&, CudaBackend&, const BFloat16*,
                                      const BFloat16*, float*);
template void grouped_forward_activated(const DeviceGroupedShape&, const ExpertShape&, CudaBackend&,
                                        const BFloat16*, const BFloat16*, BFloat16*, BFloat16*);
template void activate_backward(const ExpertShape&, CudaBackend&, DeviceRowCount,
                                std::span<const BFloat16>, std::span<const BFloat16>,
                                std::span<BFloat16>);
template void drop_out(const ExpertShape&, const DeviceDropout&, CudaBackend&, DeviceRowCount,
                       std::span<BFloat16>);

}  // namespace switchyard::kernels
