#include "kernels/bench/layer_norm.hpp"

#include <cmath>

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {
namespace {

/// Sums that are kept apart, so that loops become vector instructions.
constexpr int kLanes = 32;

/// The sum of term(i) over i.
template <class Term>
float sum_of(int count, const Term& term) {
  float sums[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int l = 0; l < kLanes; ++l) sums[l] += term(i + l);
  for (; i < count; ++i) sums[0] += term(i);
  float sum = 0.0F;
  for (const float of_lane : sums) sum += of_lane;
  return sum;
}

template <class T>
void normalise_row(const NormShape& shape, const T* x, const float* scale, T* y) {
  constexpr float kEpsilon = 1e-5F;
  const auto columns = static_cast<float>(shape.columns);
  const float mean = shape.subtracts_mean
                         ? sum_of(shape.columns, [&](int i) { return to_float(x[i]); }) / columns
                         : 0.0F;
  const float squares = sum_of(shape.columns, [&](int i) {
    const float difference = to_float(x[i]) - mean;
    return difference * difference;
  });
  const float factor = 1.0F / std::sqrt(squares / columns + kEpsilon);
  for (int i = 0; i < shape.columns; ++i)
    y[i] = from_float<T>((to_float(x[i]) - mean) * factor * scale[i]);
}

}  // namespace

template <class T>
void normalise(const NormShape& shape, const CpuBackend& cpu, std::span<const T> x,
               std::span<const float> scale, std::span<T> y) {
  parallel_for(cpu, shape.rows, [&](std::int64_t row, int) {
    const std::int64_t begin = row * shape.columns;
    normalise_row(shape, x.data() + begin, scale.data(), y.data() + begin);
  });
}

double norm_bytes(const NormShape& shape, int number_bytes) {
  return 2.0 * number_bytes * static_cast<double>(shape.rows) * shape.columns;
}

template void normalise(const NormShape&, const CpuBackend&, std::span<const float>,
                        std::span<const float>, std::span<float>);
template void normalise(const NormShape&, const CpuBackend&, std::span<const BFloat16>,
                        std::span<const float>, std::span<BFloat16>);

}  // namespace switchyard::kernels
