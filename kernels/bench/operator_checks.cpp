#include "kernels/bench/operator_checks.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/bench/attention.hpp"
#include "kernels/bench/layer_norm.hpp"
#include "kernels/check/numbers.hpp"

namespace switchyard::kernels {
namespace {

double within(const char* what, double error, double most) {
  if (error <= most) return error;
  throw std::runtime_error{std::string{what} + ": relative error " + std::to_string(error) +
                           ", expected at most " + std::to_string(most)};
}

std::vector<double> reference_norm(const NormShape& shape, const std::vector<double>& x,
                                   const Buffer<float>& scale) {
  const auto columns = static_cast<std::size_t>(shape.columns);
  std::vector<double> y(x.size());
  for (std::size_t begin = 0; begin < x.size(); begin += columns) {
    double mean = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < columns && shape.subtracts_mean; ++i)
      mean += x[begin + i] / shape.columns;
    for (std::size_t i = 0; i < columns; ++i)
      squares += (x[begin + i] - mean) * (x[begin + i] - mean);
    for (std::size_t i = 0; i < columns; ++i)
      y[begin + i] = (x[begin + i] - mean) / std::sqrt(squares / shape.columns + 1e-5) *
                     static_cast<double>(scale[i]);
  }
  return y;
}

}  // namespace

double checked_attention_error(const CpuBackend& cpu) {
  double worst = 0.0;
  AttentionScratch scratch;
  for (const AttentionShape& shape :
       {AttentionShape{
            .sequences = 2, .queries = 300, .keys = 300, .query_heads = 8, .kv_heads = 2},
        AttentionShape{.sequences = 1, .queries = 3, .keys = 70, .query_heads = 4, .kv_heads = 4},
        AttentionShape{.sequences = 3, .queries = 1, .keys = 129}}) {
    AttentionData data = random_attention(shape);
    attention(shape, cpu, arrays_of(data), scratch);
    const auto expected = reference_attention(shape, arrays_of(data));
    worst = std::max(worst, frobenius_error(data.outputs, expected));
  }
  // Sums of float over depths of some hundreds, and the exponential's 2e-7.
  return within("attention", worst, 1e-5);
}

template <class T>
double checked_norm_error(const CpuBackend& cpu) {
  double worst = 0.0;
  for (const bool subtracts_mean : {false, true}) {
    const NormShape shape{.rows = 7, .columns = 1003, .subtracts_mean = subtracts_mean};
    const auto x = uniform_numbers<T>(std::size_t{7} * 1003, 4);
    const auto scale = uniform_numbers<float>(1003, 5);
    Buffer<T> y(x.size());
    normalise<T>(shape, cpu, x, scale, y);
    worst = std::max(worst, frobenius_error(y, reference_norm(shape, in_double(x), scale)));
  }
  // bfloat16 results are off by up to 2^-9 from rounding.
  return within("norm", worst, std::is_same_v<T, float> ? 1e-5 : 4e-3);
}

template double checked_norm_error<float>(const CpuBackend&);
template double checked_norm_error<BFloat16>(const CpuBackend&);

}  // namespace switchyard::kernels
