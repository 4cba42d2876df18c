#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topologies/path_choice.hpp"
#include "topologies/topology.hpp"

namespace switchyard {

/// The switches of a folded Clos network of two or three tiers and the links between them.
///
/// Each pod has `leaves` leaves and `spines` spines, each leaf linked to each spine of its pod.
/// With several pods, spine j of every pod is linked to core switches j, j + S, ..., j + (K - 1) S,
/// where S = spines and K = cores_per_spine.
struct ClosSpec {
  int pods = 1;
  int leaves = 1;  ///< per pod
  int hosts_per_leaf = 1;
  int spines = 0;           ///< per pod; 0 when a message never leaves its leaf
  int cores_per_spine = 0;  ///< 0 with a single pod
  LinkSpec uplink;          ///< leaf to spine: all parallel cables together
  LinkSpec core_link;       ///< spine to core
  PathChoiceSpec choice;
};

/// The tiers above the hosts, put into a topology that is being built. Hosts are numbered leaf by
/// leaf; the caller links them to leaf().
class ClosFabric {
 public:
  /// @param leaf_names  by leaf, over all pods
  ClosFabric(const ClosSpec& spec, const std::vector<std::string>& leaf_names, Topology& topology);

  [[nodiscard]] NodeId leaf(int leaf) const { return leaves_[static_cast<std::size_t>(leaf)]; }
  [[nodiscard]] int leaf_of(int host) const { return host / spec_.hosts_per_leaf; }

  /// The links from the leaf of host `source` up and down to that of `destination`, none when that
  /// is the same: by way c = choice_number, over spine c mod S and, between pods, core c mod S K.
  void append(int source, int destination, std::vector<LinkId>& links) const;

  /// Whether the hosts of a leaf use each way equally often by their place at the leaf alone, so
  /// that moving every host to the next place only renames spines and cores.
  [[nodiscard]] bool rotates() const;

  /// Renames switches in `permutation` as that move does: spine j to j + 1 and core c to c + 1.
  void rotate_ways(std::vector<NodeId>& permutation) const;
  /// Moves leaf l of every pod to leaf l + 1.
  void rotate_leaves(std::vector<NodeId>& permutation) const;
  /// Moves pod p to pod p + 1.
  void rotate_pods(std::vector<NodeId>& permutation) const;

 private:
  [[nodiscard]] int ways() const;
  [[nodiscard]] NodeId spine(int pod, int j) const;

  ClosSpec spec_;
  std::vector<NodeId> leaves_;
  std::vector<NodeId> spines_;  ///< pod by pod
  std::vector<NodeId> cores_;
  std::vector<LinkId> up_;         ///< [leaf * S + spine]
  std::vector<LinkId> down_;       ///< the reverse
  std::vector<LinkId> core_up_;    ///< [pod * S K + core]
  std::vector<LinkId> core_down_;  ///< the reverse
};

/// Capacity of one of `ways` parallel links so that all carry `below / oversubscription`.
[[nodiscard]] BytesPerSecond uplink_bandwidth(BytesPerSecond below, double oversubscription,
                                              int ways);

}  // namespace switchyard
