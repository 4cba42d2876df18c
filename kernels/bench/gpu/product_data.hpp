#pragma once

#include <algorithm>
#include <vector>

#include "kernels/bench/gpu/fill.hpp"
#include "kernels/cuda/grouped_gemm.hpp"

namespace switchyard::kernels {

/// One of the three products with an expert's matrix.
enum class Kind { kForward, kDataGradient, kWeightGradient };

/// Buffers of a product: several sets, together more than three times any L2.
struct ProductData {
  Kind kind = Kind::kForward;
  std::int64_t num_rows = 0;
  DeviceGroupedShape shape;
  std::vector<DeviceBuffer<BFloat16>> rows;     ///< x (R, k), or dy (R, n)
  std::vector<DeviceBuffer<BFloat16>> weights;  ///< (E, n, k), or x (R, k) for the weight gradient
  std::vector<DeviceBuffer<BFloat16>> out;      ///< (R, n) or (R, k)
  std::vector<DeviceBuffer<float>> gradient;    ///< (E, n, k)

  [[nodiscard]] int num_sets() const { return static_cast<int>(rows.size()); }
};

inline constexpr double kRotatedBytes = 200e6;

inline std::int64_t num_rows_numbers(const ProductData& data) {
  return data.num_rows * (data.kind == Kind::kForward ? data.shape.k : data.shape.n);
}

/// Numbers of the second operand and of the output.
inline std::int64_t num_weights(const ProductData& data) {
  if (data.kind == Kind::kWeightGradient) return data.num_rows * data.shape.k;
  return data.shape.num_experts * data.shape.n * data.shape.k;
}
inline std::int64_t num_outputs(const ProductData& data) {
  if (data.kind == Kind::kWeightGradient)
    return data.shape.num_experts * data.shape.n * data.shape.k;
  return data.num_rows * (data.kind == Kind::kForward ? data.shape.n : data.shape.k);
}

/// Each operand and the output once; of experts without rows the weights are not read.
inline double bytes_of(const ProductData& data, const std::vector<int>& rows) {
  const auto active = static_cast<double>(std::ranges::count_if(rows, [](int r) { return r > 0; }));
  const bool is_gradient = data.kind == Kind::kWeightGradient;
  const double share = is_gradient ? 1.0 : active / static_cast<double>(rows.size());
  return 2.0 * static_cast<double>(num_rows_numbers(data)) +
         2.0 * share * static_cast<double>(num_weights(data)) +
         (is_gradient ? 4.0 : 2.0) * static_cast<double>(num_outputs(data));
}

inline void allocate(CudaBackend& cuda, ProductData& data) {
  const double of_set = 2.0 * static_cast<double>(num_rows_numbers(data) + num_weights(data));
  const int sets = std::clamp(static_cast<int>(kRotatedBytes / of_set) + 1, 1, 10);
  const auto size = [](std::int64_t numbers) { return static_cast<std::size_t>(numbers); };
  for (int i = 0; i < sets; ++i) {
    const auto seed = static_cast<std::uint64_t>(2 * i);
    fill_random(data.rows.emplace_back(), size(num_rows_numbers(data)), seed, cuda.stream());
    fill_random(data.weights.emplace_back(), size(num_weights(data)), seed + 1, cuda.stream());
    if (data.kind == Kind::kWeightGradient)
      data.gradient.emplace_back().resize(size(num_outputs(data)));
    else
      data.out.emplace_back().resize(size(num_outputs(data)));
  }
}

}  // namespace switchyard::kernels
