#pragma once

#include "sim/core/units.hpp"

namespace switchyard {

/// Sizes at which "auto" changes its mind. Assumed: NCCL decides by tables of latencies and
/// bandwidths of each generation (src/graph/tuning.cc); these are round figures for its outcome on
/// H100 nodes. S is the request's size.
struct AlgorithmThresholds {
  /// All-reduce above it: ring, without asking whether two trees would be faster.
  Bytes tree_up_to{64.0 * 1024.0 * 1024.0};
  /// All-reduce from it on: by the switch, where it can (NVLS); three ranks or more.
  Bytes in_switch_from{0.0};
};

}  // namespace switchyard
