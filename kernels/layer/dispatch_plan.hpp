#pragma once

#include <cstdint>

#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

inline constexpr std::int32_t kDropped = -1;

/// Where the kept choices of T tokens lie once sorted by expert: R rows, without padding, expert by
/// expert, within an expert by token. R = offsets[E].
///
/// A choice is dropped when its expert's slots of the token's group are taken, see CapacitySpec.
struct DispatchPlan {
  Buffer<std::int32_t> offsets;        ///< (E + 1): expert e owns rows offsets[e] .. offsets[e + 1]
  Buffer<std::int32_t> dst_row;        ///< (T, k): row of a choice; kDropped, also of kNoExpert
  Buffer<std::int32_t> source_token;   ///< (R)
  Buffer<std::int32_t> source_choice;  ///< (R): in 0 .. k - 1
  Buffer<std::int32_t> num_chosen;     ///< (E): choices of each expert, dropped ones too
  std::int64_t num_rows = 0;           ///< R
  std::int64_t num_dropped = 0;        ///< choices that the router made and that have no row
};

}  // namespace switchyard::kernels
