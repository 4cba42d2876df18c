#pragma once

#include <cstdint>
#include <vector>

#include "kernels/layer/buffer.hpp"
#include "kernels/measure/operator_point.hpp"

namespace switchyard::kernels {

/// (E + 1) offsets of the rows of each expert: as `loads` says, or as even as can be, the first
/// rows % experts with one more.
[[nodiscard]] std::vector<std::int32_t> offsets_of(const OperatorPoint& point);

/// (tokens, choices) different experts for each token, all equally popular.
[[nodiscard]] Buffer<std::int32_t> even_choices(std::int64_t tokens, std::int64_t experts,
                                                std::int64_t choices);

}  // namespace switchyard::kernels
