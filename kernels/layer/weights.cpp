#include "kernels/layer/weights.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require_layout(const ExpertShape& shape, GluLayout layout) {
  if (is_glu(shape.activation) && layout == GluLayout::kInterleaved8 && shape.d_ff % 8 != 0)
    throw KernelError{Fault::kSpec, "layer: d_ff is " + std::to_string(shape.d_ff) +
                                        ", expected a multiple of 8 with interleaved rows"};
}

/// Number `index` of a stream of normal numbers of deviation 1, none beyond 2.
/// Source: Box, Muller, "A Note on the Generation of Random Normal Deviates", 1958.
double truncated_normal(std::uint64_t stream, std::uint64_t index) {
  for (std::uint64_t attempt = scattered(stream ^ scattered(index));;
       attempt = scattered(attempt)) {
    const std::uint64_t bits = scattered(attempt ^ 1);
    const double radius_draw = (static_cast<double>(attempt >> 12) + 0.5) * 0x1p-52;
    const double angle_draw = static_cast<double>(bits >> 11) * 0x1p-53;
    const double normal =
        std::sqrt(-2.0 * std::log(radius_draw)) * std::cos(2.0 * std::numbers::pi * angle_draw);
    if (std::fabs(normal) <= 2.0) return normal;
  }
}

std::size_t numbers_of(int experts, int rows, int columns) {
  return static_cast<std::size_t>(experts) * static_cast<std::size_t>(rows) *
         static_cast<std::size_t>(columns);
}

float weight_at(std::uint64_t stream, std::int64_t index, double deviation) {
  return static_cast<float>(deviation *
                            truncated_normal(stream, static_cast<std::uint64_t>(index)));
}

}  // namespace

template <class T>
void convert_glu_rows(const ExpertShape& from, GluLayout to, std::span<const T> source,
                      std::span<T> target) {
  ExpertShape other = from;
  other.layout = to;
  require_layout(from, from.layout);
  require_layout(other, to);
  const std::size_t rows = numbers_of(from.num_experts, num_first_rows(from), 1);
  if (source.size() != target.size() || rows == 0 || source.size() % rows != 0)
    throw KernelError{Fault::kShape, "convert_glu_rows: " + std::to_string(rows) + " rows from " +
                                         std::to_string(source.size()) + " numbers to " +
                                         std::to_string(target.size())};
  const std::size_t columns = source.size() / rows;
  for (int e = 0; e < from.num_experts; ++e)
    for (int j = 0; j < from.d_ff; ++j)
      for (const bool up : {false, true}) {
        const std::size_t base = numbers_of(e, num_first_rows(from), 1);
        const std::size_t old_row = base + static_cast<std::size_t>(first_row(from, j, up));
        const std::size_t new_row = base + static_cast<std::size_t>(first_row(other, j, up));
        std::copy_n(&source[old_row * columns], columns, &target[new_row * columns]);
      }
}

template <class T>
void initialise_experts(const ExpertShape& shape, const ExpertPart& part, std::uint64_t seed,
                        std::uint64_t layer, ExpertWeights<T>& weights, double scale) {
  require_layout(shape, shape.layout);
  const std::int64_t d = shape.d_model;
  const std::int64_t all_hidden = part.all_hidden > 0 ? part.all_hidden : shape.d_ff;
  const int n1 = num_first_rows(shape);
  weights.w1.resize(numbers_of(shape.num_experts, n1, shape.d_model));
  weights.w2.resize(numbers_of(shape.num_experts, shape.d_model, shape.d_ff));
  const auto first = random_stream(seed, 0, layer, RandomUse::kFirstWeights);
  const auto second = random_stream(seed, 0, layer, RandomUse::kSecondWeights);
  const double deviation1 = std::sqrt(scale / static_cast<double>(d));
  const double deviation2 = std::sqrt(scale / static_cast<double>(all_hidden));
  for (std::int64_t e = 0; e < shape.num_experts; ++e) {
    T* w1 = weights.w1.data() + e * n1 * d;
    T* w2 = weights.w2.data() + e * d * shape.d_ff;
    for (int j = 0; j < shape.d_ff; ++j) {
      // Numbered by (expert, hidden column, gate or up, column), by (expert, hidden column,
      // column).
      const std::int64_t hidden = (e + part.first_expert) * all_hidden + part.first_hidden + j;
      for (int up = is_glu(shape.activation) ? 0 : 1; up < 2; ++up)
        for (std::int64_t i = 0; i < d; ++i)
          w1[first_row(shape, j, up == 1) * d + i] =
              from_float<T>(weight_at(first, (hidden * 2 + up) * d + i, deviation1));
      for (std::int64_t i = 0; i < d; ++i)
        w2[i * shape.d_ff + j] = from_float<T>(weight_at(second, hidden * d + i, deviation2));
    }
  }
}

void initialise_router(int num_experts, int d_model, std::uint64_t seed, std::uint64_t layer,
                       Buffer<float>& router, double scale) {
  router.resize(numbers_of(num_experts, d_model, 1));
  const auto stream = random_stream(seed, 0, layer, RandomUse::kRouterWeights);
  const double deviation = std::sqrt(scale / d_model);
  for (std::size_t i = 0; i < router.size(); ++i)
    router[i] = weight_at(stream, static_cast<std::int64_t>(i), deviation);
}

template void convert_glu_rows(const ExpertShape&, GluLayout, std::span<const float>,
                               std::span<float>);
template void convert_glu_rows(const ExpertShape&, GluLayout, std::span<const BFloat16>,
                               std::span<BFloat16>);
template void initialise_experts(const ExpertShape&, const ExpertPart&, std::uint64_t,
                                 std::uint64_t, ExpertWeights<float>&, double);
template void initialise_experts(const ExpertShape&, const ExpertPart&, std::uint64_t,
                                 std::uint64_t, ExpertWeights<BFloat16>&, double);

}  // namespace switchyard::kernels
