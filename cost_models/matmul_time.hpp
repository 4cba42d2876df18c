#pragma once

#include <span>

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/operators.hpp"

namespace switchyard {

/// The part of a result that one multiprocessor computes at a time.
struct ProductTile {
  std::int64_t height = 1;  ///< rows
  std::int64_t width = 1;   ///< columns
};

/// Time of `products` in one kernel of a GPU, without its overhead and its memory traffic:
///
///   tile   = (steps / split + fill_steps) * step
///   step   = max(2 * height * width * step length / rate, (height + width) * 128 B / load_rate)
///   T      = waves * tile  (+ split_startup + parts' bytes / all load_rates, where split > 1)
///   waves  = 1 up to one tile for each multiprocessor, above x + wave_quantization * (ceil(x) - x)
///
/// where a step is 128 B of the contraction (64 bfloat16), rate = peak * efficiency /
/// multiprocessors, x = tiles / multiprocessors, and height and width are no more than the product
/// has. The fastest of seven tiles from 64 x 32 to 256 x 128 and of contractions split over 1 to 16
/// tiles is taken, as a library's heuristic would. Contractions are split only while
/// multiprocessors are idle, and neither in grouped nor in FP8 kernels. Experts of a grouped kernel
/// share one tile shape and their tiles the waves; a kernel lasts at least as long as one tile.
///
/// All operands pass the memory once; what is read again comes from the cache at load_rate.
/// Source: NVIDIA, "Matrix Multiplication Background User's Guide" (tiles and waves);
///         docs/gemm_calibration.md has what was fitted, and how far off it is.
/// Precondition: the device has a matmul_model, the products are of one type and kernel (checked).
[[nodiscard]] Seconds tiled_product_time(std::span<const Matmul> products,
                                         const DeviceProfile& device);

/// The same for one product, or a batch of equal ones, with the tile given and no contraction
/// split: what kernels take whose tile is chosen before (Triton's). Precondition: the device has a
/// matmul_model (checked).
[[nodiscard]] Seconds one_tile_product_time(const Matmul& matmul, const ProductTile& tile,
                                            const DeviceProfile& device);

/// Time of one kernel of fused attention, without its overhead and its memory traffic:
///
///   T = max(1, tiles / multiprocessors) * (blocks + fill_blocks) * block / rate
///
/// where a tile is 128 queries, blocks = keys / 128 that the mask leaves, with half a block more
/// where it leaves less than all (diagonal blocks are computed whole), block = the operations of
/// 128 queries and 128 keys, and rate = peak * efficiency * w / (w + half_rate_width) /
/// multiprocessors for heads of width w: exponentials take the same time for any width. A backward
/// pass does five products for the forward's two, one of them again.
/// Source: Shah et al., "FlashAttention-3", arXiv:2407.08608, section 4.1 (how operations are
///         counted; figures 5 and 6 are what the form was held against).
/// Precondition: the device has a matmul_model (checked).
[[nodiscard]] Seconds fused_attention_time(const Matmul& matmul, Phase phase,
                                           const DeviceProfile& device);

}  // namespace switchyard
