#include <numeric>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/numbers.hpp"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/grouped_wgmma.hpp"

namespace switchyard::kernels {
namespace {

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

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
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

/// The first rows as expected, those behind them untouched.
template <class T>
void require_rows(const std::string& what, CudaBackend& cuda, const DeviceBuffer<T>& got,
                  std::span<const double> expected, double tolerance) {
  const auto all = on_host(got, cuda.stream());
  Buffer<T> rows(expected.size());
  std::copy_n(all.data(), expected.size(), rows.data());
  require_error(what, frobenius_error(rows, expected), tolerance);
  for (std::size_t i = expected.size(); i < all.size(); ++i)
    require_that(what + ": a row behind the last was written", std::isnan(to_float(all[i])));
}

// bfloat16 results are off by up to 2^-9 from rounding. Gradients of weights are float: depths of
// some hundreds in float; tensor cores truncate their sums, so allow for 2^-24 * depth.
template <class T>
constexpr double kTolerance = std::is_same_v<T, float> ? 1e-5 : 4e-3;
constexpr double kGradientTolerance = 5e-5;

template <class T>
void check_products(CudaBackend& cuda, const GroupedCase& of, bool has_weight_gradient = true) {
  const auto data = make_data<T>(cuda, of);
  const auto shape = shape_of(data);
  DeviceBuffer<T> y;
  poison(y, numbers(of.max_rows(), of.n), cuda.stream());
  grouped_forward(shape, cuda, data.device_x.data(), data.device_w.data(), y.data());
  require_rows("forward", cuda, y, expected_forward(data), kTolerance<T>);
  if (cuda.tile == GemmTile{128, 208}) return;  // of the forward product alone
  DeviceBuffer<T> dx;
  poison(dx, numbers(of.max_rows(), of.k), cuda.stream());
  grouped_data_gradient(shape, cuda, data.device_dy.data(), data.device_w.data(), dx.data());
  require_rows("data gradient", cuda, dx, expected_data_gradient(data), kTolerance<T>);
  if (!has_weight_gradient) return;
  DeviceBuffer<float> dw;
  poison(dw, data.w.size(), cuda.stream());
  grouped_weight_gradient(shape, cuda, data.device_dy.data(), data.device_x.data(), dw.data());
  require_rows("weight gradient", cuda, dw, expected_weight_gradient(data), kGradientTolerance);
}

/// The fused activation against the product and activate, bit for bit but for the last place.
void check_fused(CudaBackend& cuda, const GroupedCase& of, Activation activation) {
  const auto data = make_data<BFloat16>(cuda, of);
  const auto shape = shape_of(data);
  const bool is_gated = is_glu(activation);
  const ExpertShape experts{.num_experts = shape.num_experts,
                            .d_model = static_cast<int>(of.k),
                            .d_ff = static_cast<int>(is_gated ? of.n / 2 : of.n),
                            .activation = activation,
                            .layout = GluLayout::kInterleaved8};
  DeviceBuffer<BFloat16> pre, hidden, expected_pre, expected_hidden, hidden_alone;
  for (auto* buffer : {&pre, &expected_pre})
    poison(*buffer, numbers(of.max_rows(), of.n), cuda.stream());
  for (auto* buffer : {&hidden, &expected_hidden, &hidden_alone})
    poison(*buffer, numbers(of.max_rows(), experts.d_ff), cuda.stream());
  grouped_forward_activated(shape, experts, cuda, data.device_x.data(), data.device_w.data(),
                            pre.data(), hidden.data());
  grouped_forward_activated(shape, experts, cuda, data.device_x.data(), data.device_w.data(),
                            static_cast<BFloat16*>(nullptr), hidden_alone.data());
  grouped_forward(shape, cuda, data.device_x.data(), data.device_w.data(), expected_pre.data());
  activate<BFloat16>(experts, cuda, {shape.offsets + shape.num_experts, shape.max_rows},
                     expected_pre, expected_hidden);
  require_that("pre of the fused product",
               have_same_bits(on_host(pre, cuda.stream()), on_host(expected_pre, cuda.stream())));
  require_that("hidden without pre", have_same_bits(on_host(hidden, cuda.stream()),
                                                    on_host(hidden_alone, cuda.stream())));
  auto expected = in_double(on_host(expected_hidden, cuda.stream()));
  expected.resize(numbers(of.num_rows(), experts.d_ff));
  require_rows("hidden of the fused product", cuda, hidden, expected, 1e-3);
}

/// Runs with a route and a tile, then resets both.
CudaCheck with(const std::string& name, bool is_small, GemmRoute route, GemmTile tile,
               std::function<void(CudaBackend&)> body) {
  return {name, is_small, [=](CudaBackend& cuda) {
            if (route == GemmRoute::kWgmma && !cuda.has_wgmma()) return;
            cuda.route = route;
            cuda.tile = tile;
            try {
              body(cuda);
            } catch (...) {
              cuda.route = GemmRoute::kAutomatic;
              cuda.tile = {};
              throw;
            }
            cuda.route = GemmRoute::kAutomatic;
            cuda.tile = {};
          }};
}

}  // namespace

std::vector<CudaCheck> grouped_gemm_checks() {
  // Empty experts first, within and last; tails of every kind; 2 tiles of rows and columns.
  const GroupedCase small{{0, 5, 0, 64, 65, 1, 0}, 136, 72};
  const GroupedCase ragged{{0, 130, 64, 0, 257, 1, 63, 0}, 520, 264};
  const GroupedCase none{{0, 0, 0}, 136, 72};
  std::vector<CudaCheck> checks;
  for (const GemmTile tile :
       {GemmTile{128, 256}, {128, 208}, {128, 128}, {64, 256}, {64, 128}, {64, 64}, {0, 0}}) {
    const std::string of =
        tile.rows == 0 ? "chosen" : std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
    const bool has_gradient = tile.rows != 64;
    const auto add = [&](const char* name, const GroupedCase& one, bool is_small) {
      checks.push_back(
          with("wgmma_" + of + name, is_small, GemmRoute::kWgmma, tile,
               [=](CudaBackend& cuda) { check_products<BFloat16>(cuda, one, has_gradient); }));
    };
    add("_small", small, true);
    add("_ragged", ragged, false);
    add("_no_rows", none, true);
    for (const auto activation : {Activation::kRelu, Activation::kGeglu, Activation::kSwiglu})
      checks.push_back(with("wgmma_" + of + "_fused" + std::to_string(static_cast<int>(activation)),
                            true, GemmRoute::kWgmma, tile,
                            [=](CudaBackend& cuda) { check_fused(cuda, small, activation); }));
  }
  // More tiles of rows than a band has, so that the second band is walked too.
  const GroupedCase tall{{0, 2300, 40}, 264, 72};
  checks.push_back(with("wgmma_bands", false, GemmRoute::kWgmma, {128, 128},
                        [=](CudaBackend& cuda) { check_products<BFloat16>(cuda, tall); }));
  const GroupedCase odd{{0, 5, 0, 17, 1}, 37, 29};
  checks.push_back(
      with("cublaslt_bfloat16", false, GemmRoute::kCublasLt, {}, [=](CudaBackend& cuda) {
        check_products<BFloat16>(cuda, ragged);
        check_products<BFloat16>(cuda, odd);
      }));
  checks.push_back(with("cublaslt_float", false, GemmRoute::kCublasLt, {}, [=](CudaBackend& cuda) {
    check_products<float>(cuda, ragged);
    check_products<float>(cuda, odd);
  }));
  return checks;
}

}  // namespace switchyard::kernels
