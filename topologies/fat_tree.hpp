#pragma once

#include "topologies/clos.hpp"
#include "topologies/spec_problem.hpp"

namespace switchyard {

/// A folded Clos network: leaves and spines (two tiers), or pods of them below core switches (three
/// tiers). Host r, which is rank r, sits on leaf r / hosts_per_leaf.
///
/// Links above the hosts follow from the stated oversubscription o: a leaf with H hosts of
/// bandwidth b and S spines has uplinks of H b / (o S) each, and a spine with L leaves and K core
/// switches has links of L u / (o_core K) each, where u is the uplink. Parallel cables between two
/// switches are one link.
struct FatTreeSpec {
  int pods = 1;    ///< 1 is a network of two tiers
  int leaves = 1;  ///< per pod
  int hosts_per_leaf = 1;
  int spines = 1;           ///< per pod
  int cores_per_spine = 0;  ///< core switches above each spine; 0 with a single pod
  LinkSpec host_link;
  double oversubscription = 1.0;       ///< of a leaf: bandwidth below it over bandwidth above
  double core_oversubscription = 1.0;  ///< of a spine
  Seconds switch_latency;              ///< of a link between two switches
  PathChoiceSpec choice;
};

[[nodiscard]] SpecProblems problems(const FatTreeSpec& spec);

/// Builds the network with paths up to the lowest common tier and down again. With static choice
/// and hosts_per_leaf a multiple of the ways up, a uniform all-to-all loads all links of a tier
/// equally and moving hosts along the leaf, the pod or the network is a symmetry.
///
/// @throws ConfigError naming every problem.
/// Source: Al-Fares, Loukissas, Vahdat, "A Scalable, Commodity Data Center Network Architecture",
///         SIGCOMM 2008.
[[nodiscard]] Topology build_fat_tree(const FatTreeSpec& spec);

[[nodiscard]] int num_ranks(const FatTreeSpec& spec);

}  // namespace switchyard
