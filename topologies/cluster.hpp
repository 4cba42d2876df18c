#pragma once

#include "topologies/clos.hpp"
#include "topologies/scale_up.hpp"

namespace switchyard {

/// To which leaves the NICs of a node are cabled.
///
/// kOptimised: NIC n of every node to the leaves of rail n, so that GPUs of equal place in their
///             nodes are one leaf apart.
/// kPlain:     all NICs of a node to one leaf.
enum class Rails { kOptimised, kPlain };

/// The scale-out switches of a cluster.
struct ClusterFabricSpec {
  int leaves = 1;                 ///< of each rail with optimised rails, else of the cluster
  int spines = 0;                 ///< above all leaves; 0 where a message never changes its leaf
  double oversubscription = 1.0;  ///< of a leaf: bandwidth of its NICs over that of its uplinks
  Seconds latency;                ///< of a link between leaf and spine
  PathChoiceSpec choice;
};

/// Nodes of GPUs with an NVLink switch each, joined by NICs and a leaf-spine fabric: a cluster of
/// DGX or HGX nodes, or of NVL72 racks.
///
/// Rank r is GPU r % G of node r / G, G = node.num_ranks. GPU g uses NIC g / (G / nics_per_node).
struct ClusterSpec {
  int nodes = 1;
  ScaleUpSpec node;
  int nics_per_node = 1;  ///< a divisor of the node's GPUs; several NICs of a GPU are one
  LinkSpec nic;           ///< NIC to leaf
  /// GPU to NIC. The default never binds.
  LinkSpec gpu_to_nic{.bandwidth = BytesPerSecond{1e15}, .latency = Seconds{0}};
  Rails rails = Rails::kOptimised;
  /// Whether a message to another rail first moves over NVLink to the GPU of its own node that has
  /// the receiver's place, and leaves by that GPU's NIC (NCCL's PXN). For optimised rails only.
  bool nvlink_forwarding = true;
  ClusterFabricSpec fabric;
};

[[nodiscard]] SpecProblems problems(const ClusterSpec& spec);

/// Builds the cluster. Paths inside a node take NVLink; others the NIC, the leaf, a spine where the
/// leaves differ, and the receiver's NIC. Moving nodes, and GPUs by their share of a NIC, is a
/// symmetry where static choice and the counts make it one.
///
/// @throws ConfigError naming every problem.
/// Source: NVIDIA, "Doubling all2all Performance with NVIDIA Collective Communication Library 2.12"
///         (rails and PXN), 2022; Wang et al., "Rail-only", HotI 2024 (spines 0).
[[nodiscard]] Topology build_cluster(const ClusterSpec& spec);

[[nodiscard]] int num_ranks(const ClusterSpec& spec);

/// Leaves of the whole cluster.
[[nodiscard]] int num_leaves(const ClusterSpec& spec);

}  // namespace switchyard
