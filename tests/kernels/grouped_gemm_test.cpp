#include "kernels/cpu/grouped_gemm.hpp"

#include <gtest/gtest.h>

#include "kernels/cpu/run_gemm.hpp"
#include "tests/kernels/layer_run.hpp"

namespace switchyard::kernels {
namespace {

struct Product {
  std::vector<std::int32_t> offsets;
  int n;
  int k;
};

// Empty experts in every place, one row, sizes around the blocks of 12, 32, 96 and 256.
const std::vector<Product> kProducts{
    {{0, 0, 1, 1, 98, 98}, 33, 70},
    {{0, 13, 13, 205}, 300, 520},
    {{0, 1100}, 31, 17},
    {{0, 0}, 8, 8},
    {{0, 2}, 1, 1},
};

/// target[i, j] (rows, columns) += sum over p of a(i, p) * b(p, j)
template <class A, class B>
void add_product(double* target, std::int64_t rows, std::int64_t columns, std::int64_t depth,
                 const A& a, const B& b) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t p = 0; p < depth; ++p)
      for (std::int64_t j = 0; j < columns; ++j) target[i * columns + j] += a(i, p) * b(p, j);
}

template <class T>
void expect_products(double tolerance) {
  for (const auto& [offsets, n, k] : kProducts) {
    const auto num_experts = offsets.size() - 1;
    const auto rows = static_cast<std::size_t>(offsets.back());
    const auto x = uniform_numbers<T>(rows * static_cast<std::size_t>(k), 1);
    const auto dy = uniform_numbers<T>(rows * static_cast<std::size_t>(n), 2);
    const auto w = uniform_numbers<T>(num_experts * static_cast<std::size_t>(n * k), 3);
    const auto x2 = in_double(x);
    const auto dy2 = in_double(dy);
    const auto w2 = in_double(w);
    std::vector<double> y_expected(dy2.size());
    std::vector<double> dx_expected(x2.size());
    std::vector<double> dw_expected(w2.size());
    for (std::size_t e = 0; e < num_experts; ++e) {
      const std::int64_t first = offsets[e];
      const std::int64_t count = offsets[e + 1] - first;
      const double* xe = x2.data() + first * k;
      const double* dye = dy2.data() + first * n;
      const double* we = w2.data() + static_cast<std::int64_t>(e) * n * k;
      const auto at = [](const double* from, std::int64_t stride) {
        return [=](std::int64_t i, std::int64_t j) { return from[i * stride + j]; };
      };
      const auto transposed = [](const double* from, std::int64_t stride) {
        return [=](std::int64_t i, std::int64_t j) { return from[j * stride + i]; };
      };
      add_product(y_expected.data() + first * n, count, n, k, at(xe, k), transposed(we, k));
      add_product(dx_expected.data() + first * k, count, k, n, at(dye, n), at(we, k));
      add_product(dw_expected.data() + static_cast<std::int64_t>(e) * n * k, n, k, count,
                  transposed(dye, n), at(xe, k));
    }
    Buffer<T> y;
    Buffer<T> dx;
    Buffer<float> dw;
    poison(y, dy.size());
    poison(dx, x.size());
    poison(dw, w.size());
    const CpuBackend cpu{2};
    grouped_forward({offsets, n, k}, cpu, x.data(), w.data(), y.data());
    grouped_data_gradient({offsets, n, k}, cpu, dy.data(), w.data(), dx.data());
    grouped_weight_gradient({offsets, n, k}, cpu, dy.data(), x.data(), dw.data());
    EXPECT_LT(frobenius_error(y, y_expected), tolerance) << n << " " << k;
    EXPECT_LT(frobenius_error(dx, dx_expected), tolerance) << n << " " << k;
    EXPECT_LT(frobenius_error(dw, dw_expected), 1e-6) << n << " " << k;  // never rounded
  }
}

// Sums of up to 520 float products: about sqrt(520) * 2^-24 = 1.4e-6, less by the blocks of 256.
TEST(GroupedGemm, MatchesDoubleInFloat) { expect_products<float>(1e-6); }

// One rounding of the result, of up to 2^-9 = 2e-3.
TEST(GroupedGemm, MatchesDoubleInBFloat16) { expect_products<BFloat16>(2e-3); }

TEST(IsaKernels, AgreeOnTheProduct) {
  const auto a = uniform_numbers<float>(50 * 300, 1);
  const auto b = uniform_numbers<float>(70 * 300, 2);
  std::vector<double> expected(50 * 70);
  add_product(
      expected.data(), 50, 70, 300, [&](auto i, auto p) { return double{a.data()[i * 300 + p]}; },
      [&](auto p, auto j) { return double{b.data()[j * 300 + p]}; });
  for (const IsaKernels* isa : available_isa_kernels()) {
    Buffer<float> scratch(kGemmScratch);
    Buffer<float> c;
    poison(c, 50 * 70);
    isa->gemm({50, 70, 300, {a.data(), 300, 1}, {b.data(), 1, 300}, c.data(), 70}, scratch.data());
    EXPECT_LT(frobenius_error(c, expected), 1e-6) << isa->name;
  }
}

}  // namespace
}  // namespace switchyard::kernels
