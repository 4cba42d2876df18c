#pragma once

#include <vector>

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/operators.hpp"
#include "sim/workload/routed_rows.hpp"

namespace switchyard {

/// What one rank does in one operator.
struct OperatorWork {
  Seconds time;
  Flop flop;    ///< of its product, without padding
  Bytes bytes;  ///< read and written, with padding
};

/// An operator at the sizes that it states.
[[nodiscard]] OperatorWork operator_work(const Operator& op, const DeviceProfile& device);

/// An operator whose rows a draw decides, by rank.
///
///   of each rank's rows   T = operator_time() with those rows
///   of each expert        T = sum over the rank's experts of (operator_time() of one expert with
///                         its rows, without the overhead) + one overhead
///
/// An expert without rows costs nothing: its weights are not read and its gradient stays zero. When
/// all experts have equally many rows this is operator_time() of the whole batch. Taking the
/// roofline expert by expert assumes that a kernel's experts run one after the other; where some
/// are bound by memory and some by the product, a kernel that mixes them could be faster.
///
/// A device with a matmul_model computes a rank's experts in one kernel, whose tiles share the
/// waves: T = max(tiled_product_time() of all / sustained_speed, transfer_time() of all) + one
/// overhead. Where the device has measured kernels of this kind, priced_experts(). Precondition:
/// op.routed says of which rows (checked).
[[nodiscard]] std::vector<OperatorWork> routed_work(const Operator& op, const LayerRows& rows,
                                                    const DeviceProfile& device);

}  // namespace switchyard
