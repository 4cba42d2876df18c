#pragma once

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/operators.hpp"

namespace switchyard {

/// Operations that the matrix unit performs, padding included:
///
///   2 * computed_share * batch * max(up(rows), minimum_rows) * up(contraction) * up(columns)
///
/// where up() rounds to the tile. A systolic array of 128 x 128 holds a tile of weights while rows
/// stream through, so contraction and columns come in 128s, and a tile cannot be replaced before
/// the next is loaded, which takes as long as 128 rows.
/// Source: Jouppi et al., "In-Datacenter Performance Analysis of a Tensor Processing Unit",
///         ISCA 2017, section 2 (the scheme; TPUv2 and v3 have arrays of 128 x 128).
[[nodiscard]] Flop padded_flop(const Matmul& matmul, const MatmulTile& tile);

/// Bytes of a tensor as laid out: rows and columns padded to the memory tile.
[[nodiscard]] Bytes padded_bytes(const Tensor& tensor, const MemoryTile& tile);

/// Everything an operator reads and writes, padding included.
[[nodiscard]] Bytes memory_traffic(const Operator& op, const MemoryTile& tile);

/// Time of an operator's product, without overhead and traffic: tiled_product_time() or
/// fused_attention_time() on a device with a matmul_model, else padded FLOP / (peak * matmul
/// efficiency); all divided by the sustained_speed.
[[nodiscard]] Seconds product_time(const Operator& op, const DeviceProfile& device);

/// Time to move `traffic`: at the memory_efficiency, or at the matmul_model's streaming_efficiency
/// where the kernel also has a product.
[[nodiscard]] Seconds transfer_time(Bytes traffic, const Matmul& matmul,
                                    const DeviceProfile& device);

/// Time of one kernel: of the device's measured kernels where there is one of its kind
/// (priced_operator()), else in the roofline model:
///
///   T = max(product_time(), transfer_time()) + operator overhead
///
/// Assumes that products and memory transfers of one kernel overlap fully and those of different
/// kernels not at all. Source: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009.
[[nodiscard]] Seconds operator_time(const Operator& op, const DeviceProfile& device);

/// True when the first argument of the maximum in operator_time() decides.
[[nodiscard]] bool is_compute_bound(const Operator& op, const DeviceProfile& device);

}  // namespace switchyard
