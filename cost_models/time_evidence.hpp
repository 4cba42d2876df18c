#pragma once

#include <span>

#include "cost_models/device_profile.hpp"
#include "cost_models/library_collective.hpp"
#include "sim/workload/operators.hpp"
#include "sim/workload/routed_rows.hpp"

namespace switchyard {

/// Where a predicted time comes from, and the 90 % interval of the measured one as multiples of it.
struct TimeEvidence {
  Provenance provenance = Provenance::kAssumed;
  double low = 1;
  double high = 1;
};

/// Of operator_time() or routed_work(), on the rank with most rows.
///
///   a measured kernel runs it     what predict_kernel() says of it
///   none does, others do          assumed (a roofline), with the device's step_interval
///   none was measured at all      the device's efficiency of products or of memory, the same
///
/// @param routing  rows of each MoE layer; empty: perfect balance
[[nodiscard]] TimeEvidence operator_evidence(const Operator& op, const DeviceProfile& device,
                                             std::span<const LayerRows> routing);

/// Of a collective as its library was measured: within its band where it has one; assumed ones from
/// half to twice their time.
[[nodiscard]] TimeEvidence collective_evidence(const LibraryCollective& collective);

}  // namespace switchyard
