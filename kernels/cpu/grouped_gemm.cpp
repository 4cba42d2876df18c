#include "kernels/cpu/grouped_gemm.hpp"

#include "kernels/cpu/run_gemm.hpp"

namespace switchyard::kernels {
namespace {

/// Calls add(expert, first row, number of rows).
template <class Add>
void for_each_expert(const GroupedShape& shape, const Add& add) {
  for (std::size_t e = 0; e + 1 < shape.offsets.size(); ++e)
    add(static_cast<std::int64_t>(e), std::int64_t{shape.offsets[e]},
        std::int64_t{shape.offsets[e + 1]} - shape.offsets[e]);
}

}  // namespace

template <class T>
void grouped_forward(const GroupedShape& shape, const CpuBackend& cpu, const T* x, const T* w,
                     T* y) {
  using Number = typename GemmNumber<T>::type;
  const auto [offsets, n, k] = shape;
  std::vector<GemmTask<Number, Number, Number>> products;
  for_each_expert(shape, [&, n = n, k = k](std::int64_t e, std::int64_t row, std::int64_t rows) {
    products.push_back({.rows = rows,
                        .columns = n,
                        .depth = k,
                        .a = {gemm_numbers(x) + row * k, k, 1},
                        .b = {gemm_numbers(w) + e * n * k, 1, k},
                        .c = gemm_numbers(y) + row * n,
                        .c_stride = n});
  });
  run_gemms(cpu, products);
}

template <class T>
void grouped_data_gradient(const GroupedShape& shape, const CpuBackend& cpu, const T* dy,
                           const T* w, T* dx) {
  using Number = typename GemmNumber<T>::type;
  const auto [offsets, n, k] = shape;
  std::vector<GemmTask<Number, Number, Number>> products;
  for_each_expert(shape, [&, n = n, k = k](std::int64_t e, std::int64_t row, std::int64_t rows) {
    products.push_back({.rows = rows,
                        .columns = k,
                        .depth = n,
                        .a = {gemm_numbers(dy) + row * n, n, 1},
                        .b = {gemm_numbers(w) + e * n * k, k, 1},
                        .c = gemm_numbers(dx) + row * k,
                        .c_stride = k});
  });
  run_gemms(cpu, products);
}

template <class T>
void grouped_weight_gradient(const GroupedShape& shape, const CpuBackend& cpu, const T* dy,
                             const T* x, float* dw) {
  using Number = typename GemmNumber<T>::type;
  const auto [offsets, n, k] = shape;
  std::vector<GemmTask<Number, Number, float>> products;
  for_each_expert(shape, [&, n = n, k = k](std::int64_t e, std::int64_t row, std::int64_t rows) {
    products.push_back({.rows = n,
                        .columns = k,
                        .depth = rows,
                        .a = {gemm_numbers(dy) + row * n, 1, n},
                        .b = {gemm_numbers(x) + row * k, k, 1},
                        .c = dw + e * n * k,
                        .c_stride = k});
  });
  run_gemms(cpu, products);
}

template void grouped_forward(const GroupedShape&, const CpuBackend&, const float*, const float*,
                              float*);
template void grouped_forward(const GroupedShape&, const CpuBackend&, const BFloat16*,
                              const BFloat16*, BFloat16*);
template void grouped_data_gradient(const GroupedShape&, const CpuBackend&, const float*,
                                    const float*, float*);
template void grouped_data_gradient(const GroupedShape&, const CpuBackend&, const BFloat16*,
                                    const BFloat16*, BFloat16*);
template void grouped_weight_gradient(const GroupedShape&, const CpuBackend&, const float*,
                                      const float*, float*);
template void grouped_weight_gradient(const GroupedShape&, const CpuBackend&, const BFloat16*,
                                      const BFloat16*, float*);

}  // namespace switchyard::kernels
