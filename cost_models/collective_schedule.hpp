#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "topologies/flow.hpp"

namespace switchyard {

/// Every rank of the network sends this to every other one.
struct AllPairs {
  Bytes bytes;
};

/// Messages that may be under way at the same time.
///
/// A rank begins its sends of round k + 1 when all its own sends and receives of round k are
/// complete; ranks do not wait for other ranks beyond that (no global barrier).
/// Sends are one-sided: they do not wait for the receiver to enter the collective.
struct Round {
  std::vector<Flow> flows{};
  std::optional<AllPairs> all_pairs{};  ///< instead of `flows`, which are then empty
  int repeat = 1;                       ///< how many such rounds follow one another
};

/// A collective as the network sees it. Knows nothing of the engine that will execute it.
struct CollectiveSchedule {
  std::string algorithm;  ///< as algorithm_name(): "direct", "torus", ...
  Seconds startup{};      ///< each rank waits this long after it entered, before its first round
  std::vector<Round> rounds{};
  /// No algorithm on any paths takes less on the network it was built for: lower_bound(), where the
  /// builder's caller asked for it; else 0.
  Seconds proven_bound{};
};

/// Number of rounds, repetitions counted.
[[nodiscard]] std::int64_t num_rounds(const CollectiveSchedule& schedule);

/// Messages of one repetition that cross the network.
[[nodiscard]] std::int64_t num_messages(const Round& round, int num_ranks);

/// Calls `visit(flow)` for every message of one repetition that crosses the network, by sender
/// where all pairs are meant, else in the order of `flows`.
template <class Visit>
void for_each_message(const Round& round, int num_ranks, const Visit& visit) {
  for (const Flow& flow : round.flows)
    if (crosses_network(flow)) visit(flow);
  if (!round.all_pairs || round.all_pairs->bytes == Bytes{0}) return;
  for (int source = 0; source < num_ranks; ++source)
    for (int destination = 0; destination < num_ranks; ++destination)
      if (source != destination)
        visit(Flow{RankId{source}, RankId{destination}, round.all_pairs->bytes});
}

}  // namespace switchyard
