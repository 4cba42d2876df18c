#pragma once

#include "topologies/spec_problem.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// GPUs joined by NVLink switches: a node of 4, 8 or 16, or a rack such as NVL72.
///
/// The switches of a node are one non-blocking switch here, and the links of a GPU to them one
/// port: NVLink stripes every message over all switches.
struct ScaleUpSpec {
  int num_ranks = 1;
  LinkSpec port;                     ///< GPU to switch: all its links together, per direction
  bool in_switch_reduction = false;  ///< NVLink SHARP
};

/// What cannot be built.
[[nodiscard]] SpecProblems problems(const ScaleUpSpec& spec);

/// Builds the node: rank -> switch -> rank. Any rotation of the ranks is a symmetry.
/// @throws ConfigError naming every problem.
[[nodiscard]] Topology build_scale_up(const ScaleUpSpec& spec);

[[nodiscard]] int num_ranks(const ScaleUpSpec& spec);

/// Ranks joined by a link to every other one, without a switch.
struct FullyConnectedSpec {
  int num_ranks = 1;
  LinkSpec link;  ///< of each pair, per direction
};

[[nodiscard]] SpecProblems problems(const FullyConnectedSpec& spec);

/// Builds the network: every path is one link. Any rotation of the ranks is a symmetry.
/// @throws ConfigError naming every problem.
[[nodiscard]] Topology build_fully_connected(const FullyConnectedSpec& spec);

[[nodiscard]] int num_ranks(const FullyConnectedSpec& spec);

}  // namespace switchyard
