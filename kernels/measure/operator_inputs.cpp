#include "kernels/measure/operator_inputs.hpp"

#include <string>

#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

std::vector<std::int32_t> offsets_of(const OperatorPoint& point) {
  const std::int64_t rows = size_of(point, "rows");
  const std::int64_t experts = point.op == MeasuredOperator::kGemm ? 1 : size_of(point, "experts");
  std::vector<std::int32_t> offsets{0};
  for (std::int64_t e = 0; e < experts; ++e) {
    const std::int64_t even = rows / experts + (e < rows % experts ? 1 : 0);
    const std::int64_t load =
        point.loads.empty() ? even : point.loads.at(static_cast<std::size_t>(e));
    offsets.push_back(static_cast<std::int32_t>(offsets.back() + load));
  }
  if (offsets.back() != rows)
    throw KernelError{Fault::kSpec, "loads: expected " + std::to_string(rows) +
                                        " rows in all, got " + std::to_string(offsets.back())};
  return offsets;
}

Buffer<std::int32_t> even_choices(std::int64_t tokens, std::int64_t experts, std::int64_t choices) {
  Buffer<std::int32_t> chosen(static_cast<std::size_t>(tokens * choices));
  // A random first expert, and a random stride that shares no factor with the number of experts
  // when that is a power of two: odd. Otherwise neighbours.
  const bool is_power = (experts & (experts - 1)) == 0;
  for (std::int64_t t = 0; t < tokens; ++t) {
    const auto draw = scattered(static_cast<std::uint64_t>(t));
    const auto count = static_cast<std::uint64_t>(experts);
    const std::uint64_t stride = is_power ? (draw >> 40) | 1U : 1U;
    for (std::int64_t j = 0; j < choices; ++j)
      chosen[static_cast<std::size_t>(t * choices + j)] =
          static_cast<std::int32_t>((draw + stride * static_cast<std::uint64_t>(j)) % count);
  }
  return chosen;
}

}  // namespace switchyard::kernels
