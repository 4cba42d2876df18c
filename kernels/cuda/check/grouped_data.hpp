#pragma once

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/grouped_gemm.hpp"

namespace switchyard::kernels {

/// Rows of each expert, and one product's sizes. Arrays have 50 rows more, which hold NaN.
struct GroupedCase {
  std::vector<int> rows;
  std::int64_t n = 0;
  std::int64_t k = 0;

  [[nodiscard]] std::int64_t num_rows() const {
    return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  }
  [[nodiscard]] std::int64_t max_rows() const { return num_rows() + 50; }
  [[nodiscard]] Buffer<std::int32_t> offsets() const {
    Buffer<std::int32_t> result(rows.size() + 1);
    result[0] = 0;
    std::partial_sum(rows.begin(), rows.end(), result.begin() + 1);
    return result;
  }
};

/// What experts' products are in double, and the operands on both sides.
template <class T>
struct GroupedData {
  GroupedCase of;
  Buffer<std::int32_t> offsets;
  Buffer<T> x, w, dy;  ///< (max_rows, k), (E, n, k), (max_rows, n)
  DeviceBuffer<std::int32_t> device_offsets;
  DeviceBuffer<T> device_x, device_w, device_dy;
};

inline std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

template <class T>
GroupedData<T> make_data(CudaBackend& cuda, const GroupedCase& of) {
  GroupedData<T> data{.of = of, .offsets = of.offsets()};
  const auto num_experts = static_cast<std::int64_t>(of.rows.size());
  data.x = uniform_numbers<T>(numbers(of.max_rows(), of.k), 1);
  data.w = uniform_numbers<T>(numbers(num_experts * of.n, of.k), 2);
  data.dy = uniform_numbers<T>(numbers(of.max_rows(), of.n), 3);
  const T nan = from_float<T>(std::numeric_limits<float>::quiet_NaN());
  std::fill(data.x.begin() + of.num_rows() * of.k, data.x.end(), nan);
  std::fill(data.dy.begin() + of.num_rows() * of.n, data.dy.end(), nan);
  copy_to_device<std::int32_t>(data.offsets, data.device_offsets, cuda.stream());
  copy_to_device<T>(data.x, data.device_x, cuda.stream());
  copy_to_device<T>(data.w, data.device_w, cuda.stream());
  copy_to_device<T>(data.dy, data.device_dy, cuda.stream());
  return data;
}

template <class T>
DeviceGroupedShape shape_of(const GroupedData<T>& data) {
  return {.offsets = data.device_offsets.data(),
          .num_experts = static_cast<int>(data.of.rows.size()),
          .max_rows = data.of.max_rows(),
          .n = data.of.n,
          .k = data.of.k};
}

/// Calls add(row, expert) for each row, in order.
template <class T, class Add>
void for_each_row(const GroupedData<T>& data, const Add& add) {
  for (std::size_t e = 0; e < data.of.rows.size(); ++e)
    for (std::int64_t r = data.offsets[e]; r < data.offsets[e + 1]; ++r)
      add(r, static_cast<std::int64_t>(e));
}

template <class T>
double number(const Buffer<T>& of, std::int64_t i) {
  return static_cast<double>(to_float(of[static_cast<std::size_t>(i)]));
}

template <class T>
std::vector<double> expected_forward(const GroupedData<T>& data) {
  const auto [n, k] = std::pair{data.of.n, data.of.k};
  std::vector<double> y(numbers(data.of.num_rows(), n));
  for_each_row(data, [&, n = n, k = k](std::int64_t r, std::int64_t e) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < k; ++i)
        sum += number(data.x, r * k + i) * number(data.w, (e * n + j) * k + i);
      y[static_cast<std::size_t>(r * n + j)] = sum;
    }
  });
  return y;
}

template <class T>
std::vector<double> expected_data_gradient(const GroupedData<T>& data) {
  const auto [n, k] = std::pair{data.of.n, data.of.k};
  std::vector<double> dx(numbers(data.of.num_rows(), k));
  for_each_row(data, [&, n = n, k = k](std::int64_t r, std::int64_t e) {
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = 0; i < k; ++i)
        dx[static_cast<std::size_t>(r * k + i)] +=
            number(data.dy, r * n + j) * number(data.w, (e * n + j) * k + i);
  });
  return dx;
}

template <class T>
std::vector<double> expected_weight_gradient(const GroupedData<T>& data) {
  const auto [n, k] = std::pair{data.of.n, data.of.k};
  std::vector<double> dw(data.w.size());
  for_each_row(data, [&, n = n, k = k](std::int64_t r, std::int64_t e) {
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = 0; i < k; ++i)
        dw[static_cast<std::size_t>((e * n + j) * k + i)] +=
            number(data.dy, r * n + j) * number(data.x, r * k + i);
  });
  return dw;
}

}  // namespace switchyard::kernels
