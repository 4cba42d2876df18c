#include <numeric>

#include "kernels/cuda/activation.hpp"
#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/grouped_data.hpp"
#include "kernels/cuda/grouped_wgmma.hpp"

namespace switchyard::kernels {
namespace {

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
