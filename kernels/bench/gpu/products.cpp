#include "kernels/bench/gpu/products.hpp"

#include <algorithm>
#include <vector>

#include "kernels/bench/gpu/grouped_batched.hpp"
#include "kernels/bench/gpu/product_data.hpp"
#include "kernels/cuda/grouped_cublaslt.hpp"
#include "kernels/cuda/grouped_gemm.hpp"
#include "kernels/cuda/matmul.hpp"

namespace switchyard::kernels {
namespace {

void run_grouped(CudaBackend& cuda, ProductData& data, std::size_t i) {
  const BFloat16* rows = data.rows[i].data();
  const BFloat16* weights = data.weights[i].data();
  if (data.kind == Kind::kForward)
    grouped_forward(data.shape, cuda, rows, weights, data.out[i].data());
  else if (data.kind == Kind::kDataGradient)
    grouped_data_gradient(data.shape, cuda, rows, weights, data.out[i].data());
  else
    grouped_weight_gradient(data.shape, cuda, rows, weights, data.gradient[i].data());
}

/// All rows with the matrix of one expert.
void run_dense(CudaBackend& cuda, ProductData& data, std::size_t i) {
  const std::int64_t n = data.shape.n;
  const std::int64_t k = data.shape.k;
  const BFloat16* rows = data.rows[i].data();
  const BFloat16* weights = data.weights[i].data();
  const std::int64_t num_rows = data.num_rows;
  constexpr auto kBFloat16 = NumberType::kBFloat16;
  if (data.kind == Kind::kForward)
    matmul(cuda, {num_rows,
                  n,
                  k,
                  {rows, k},
                  {weights, k, true},
                  kBFloat16,
                  data.out[i].data(),
                  n,
                  kBFloat16});
  else if (data.kind == Kind::kDataGradient)
    matmul(cuda,
           {num_rows, k, n, {rows, n}, {weights, k}, kBFloat16, data.out[i].data(), k, kBFloat16});
  else
    matmul(cuda, {n,
                  k,
                  num_rows,
                  {rows, n, true},
                  {weights, k},
                  kBFloat16,
                  data.gradient[i].data(),
                  k,
                  NumberType::kFloat});
}

std::vector<GroupedBatched::Problem> batched_problems(ProductData& data,
                                                      DeviceBuffer<BFloat16>& gradient) {
  const int n = static_cast<int>(data.shape.n);
  const int k = static_cast<int>(data.shape.k);
  const BFloat16* first = data.rows[0].data();
  const BFloat16* second = data.weights[0].data();
  if (data.kind == Kind::kWeightGradient) gradient.resize(data.gradient[0].size());
  std::vector<GroupedBatched::Problem> problems;
  for (std::int64_t e = 0; e < data.shape.num_experts; ++e) {
    const std::int64_t row = data.shape.host_offsets[static_cast<std::size_t>(e)];
    const auto rows =
        static_cast<int>(data.shape.host_offsets[static_cast<std::size_t>(e) + 1] - row);
    if (rows == 0) continue;
    if (data.kind == Kind::kForward)
      problems.push_back({CUBLAS_OP_T, CUBLAS_OP_N, n, rows, k, second + e * n * k, first + row * k,
                          data.out[0].data() + row * n, k, k, n});
    else if (data.kind == Kind::kDataGradient)
      problems.push_back({CUBLAS_OP_N, CUBLAS_OP_N, k, rows, n, second + e * n * k, first + row * n,
                          data.out[0].data() + row * k, k, n, k});
    else
      problems.push_back({CUBLAS_OP_N, CUBLAS_OP_T, k, n, rows, second + row * k, first + row * n,
                          gradient.data() + e * n * k, k, n, k});
  }
  return problems;
}

void bench_tiles(CudaBackend& cuda, const BenchPoint& point, const TimingPlan& plan,
                 ProductData& data, BenchReport& report) {
  for (const GemmTile tile :
       {GemmTile{128, 256}, {128, 208}, {128, 128}, {64, 256}, {64, 128}, {64, 64}}) {
    if (tile.columns == 208 && data.kind != Kind::kForward) continue;
    if (tile.rows == 64 && data.kind == Kind::kWeightGradient) continue;
    BenchPoint of = point;
    of.implementation = "tile_" + std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
    cuda.tile = tile;
    report.measure(cuda, of, plan,
                   [&](int i) { run_grouped(cuda, data, static_cast<std::size_t>(i)); });
    cuda.tile = {};
  }
}

void bench_product(CudaBackend& cuda, const BenchShape& shape, BenchPoint point, bool all_tiles,
                   ProductData& data, BenchReport& report) {
  allocate(cuda, data);
  point.flop = 2.0 * static_cast<double>(data.num_rows) * static_cast<double>(data.shape.n) *
               static_cast<double>(data.shape.k);
  point.bytes = bytes_of(data, shape.rows);
  const TimingPlan plan{.calls = data.num_sets(), .limit_s = 0.25};
  const auto grouped = [&](int i) { run_grouped(cuda, data, static_cast<std::size_t>(i)); };
  const auto measure = [&](const char* name, const TimingPlan& how, const auto& call) {
    point.implementation = name;
    report.measure(cuda, point, how, call);
  };
  if (cuda.has_wgmma()) {
    cuda.route = GemmRoute::kWgmma;
    measure("wgmma", plan, grouped);
    if (all_tiles) bench_tiles(cuda, point, plan, data, report);
  }
  measure("dense_cublaslt", plan,
          [&](int i) { run_dense(cuda, data, static_cast<std::size_t>(i)); });
  cuda.route = GemmRoute::kCublasLt;
  for (const int lanes : {1, CudaBackend::kNumLanes}) {
    cuda.cublas_lanes = lanes;
    measure(lanes == 1 ? "cublaslt_loop" : "cublaslt_loop_4", plan, grouped);
  }
  cuda.route = GemmRoute::kAutomatic;
  // Its host work between kernels is part of what it costs, so no graph.
  GroupedBatched batched{cuda};
  DeviceBuffer<BFloat16> gradient;
  batched.set(batched_problems(data, gradient));
  measure("cublas_grouped", {.calls = 1, .as_graph = false, .limit_s = 0.25},
          [&](int) { batched.run(); });
  cuda.synchronize();
}

}  // namespace

void bench_products(CudaBackend& cuda, const BenchShape& shape, bool all_tiles,
                    BenchReport& report) {
  std::vector<std::int32_t> offsets{0};
  for (const int rows : shape.rows) offsets.push_back(offsets.back() + rows);
  DeviceBuffer<std::int32_t> on_device;
  copy_to_device<std::int32_t>(offsets, on_device, cuda.stream());
  const ExpertShape experts = expert_shape(shape.spec);
  for (const bool is_first : {true, false})
    for (const Kind kind : {Kind::kForward, Kind::kDataGradient, Kind::kWeightGradient}) {
      if (shape.is_decode && kind != Kind::kForward) continue;
      const char* kinds[] = {"forward", "dgrad", "wgrad"};
      BenchPoint point{.section = "products", .shape = shape.name};
      point.product = std::string{kinds[static_cast<int>(kind)]} + (is_first ? "1" : "2");
      report.run_section(shape.name + " " + point.product, [&] {
        ProductData data{.kind = kind, .num_rows = shape.num_rows()};
        data.shape = {.offsets = on_device.data(),
                      .num_experts = shape.spec.num_experts,
                      .max_rows = shape.num_rows(),
                      .n = is_first ? num_first_rows(experts) : experts.d_model,
                      .k = is_first ? experts.d_model : experts.d_ff,
                      .host_offsets = offsets};
        bench_product(cuda, shape, point, all_tiles, data, report);
      });
      cuda.route = GemmRoute::kAutomatic;
      cuda.tile = {};
    }
}

}  // namespace switchyard::kernels
