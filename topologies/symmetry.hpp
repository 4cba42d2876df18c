#pragma once

#include <optional>
#include <span>
#include <vector>

#include "topologies/topology.hpp"

namespace switchyard {

/// A relabelling of the nodes of a network: node v becomes permutation[v].
using NodePermutation = std::vector<NodeId>;

/// The relabelling that moves nothing, to be changed.
[[nodiscard]] NodePermutation identity_permutation(const Topology& topology);

/// The group that `generators` generate, as PathSymmetry describes it; nullopt when it moves no
/// rank. The builder answers for paths being moved onto paths.
///
/// Precondition: each generator moves links onto links of equal bandwidth and latency, and every
/// orbit of ranks has the same size (checked).
[[nodiscard]] std::optional<PathSymmetry> symmetry_of(const Topology& topology,
                                                      std::span<const NodePermutation> generators);

}  // namespace switchyard
