#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cost_models/device_profile.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/operators.hpp"
#include "sim/workload/routed_rows.hpp"

namespace switchyard {

/// Rows of one rank in an MoE layer.
struct RankRows {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::span<const std::int64_t> of_experts;  ///< of the draw
};

/// [MoE layer][rank]
using RowsByLayer = std::vector<std::vector<RankRows>>;

/// Those of a draw; empty for perfect balance. Refers to `routing`.
[[nodiscard]] RowsByLayer rows_by_layer(std::span<const LayerRows> routing);

/// Device memory that a node of a microbatch takes on one rank, beside what others take.
struct NodeMemory {
  Bytes saved;       ///< outputs that stay for the backward pass
  Bytes recomputed;  ///< outputs that the backward pass makes again
  Bytes buffers;     ///< of an all-to-all of routed rows, while it runs: what it sends and receives
};

/// In the device's layout. The fixed buffers of one-hot dispatch are not counted.
/// @param rows  empty: perfect balance, whatever the rank
[[nodiscard]] NodeMemory node_memory(const StepNode& node, const MemoryTile& tile,
                                     const RowsByLayer& rows, std::size_t rank);

/// What a draw decides of a rank's memory: the sum of what is saved, the largest buffers.
struct RoutedMemory {
  Bytes saved;
  Bytes buffers;
  std::size_t rank = 0;
};

/// Of the rank with the largest sum of both, the first of equal ones. Nothing without rows.
[[nodiscard]] RoutedMemory fullest_rank(std::span<const StepNode> microbatch,
                                        const MemoryTile& tile, const RowsByLayer& rows);

/// Whether a draw decides what the node takes.
[[nodiscard]] bool is_routed(const StepNode& node);

}  // namespace switchyard
