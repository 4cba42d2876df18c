#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/cli/value_type.hpp"
#include "topologies/bisection.hpp"

namespace switchyard {

/// Cables that are alike: between the same kinds of nodes, of one bandwidth and latency.
struct CableKind {
  std::string ends;  ///< "leaf - spine"
  int count = 0;     ///< both directions of a cable are one
  LinkSpec link;
  LinkPlace place = LinkPlace::kNetwork;
};

enum class LinkState { kGood, kSlow, kFailed };

/// A network and all that `show topology` says of it.
struct NetworkFacts {
  Topology topology;             ///< as it works
  Topology built;                ///< as built: with what has failed since
  std::vector<LinkState> state;  ///< by link as built
  int num_switches = 0;
  std::vector<CableKind> cables;
  int diameter = 0;
  double average_hops = 0.0;
  Bisection bisection;
  Seconds all_to_all;  ///< least time of one megabyte from every rank to every other
  std::optional<std::string> busiest_cable;
  std::int64_t num_rerouted_pairs = 0;
};

[[nodiscard]] NetworkFacts network_facts(const NetworkSpec& spec);

/// Counts and figures for a terminal.
[[nodiscard]] std::string facts_text(const NetworkFacts& facts);

/// Every link with its ends, a line each.
[[nodiscard]] std::string links_text(const NetworkFacts& facts);

/// Everything, nodes and links included, keys ending in their unit.
[[nodiscard]] Json facts_json(const std::string& name, const NetworkSpec& spec,
                              const NetworkFacts& facts);

}  // namespace switchyard
