#include "cost_models/library_collective.hpp"

#include <algorithm>

#include "cost_models/collectives.hpp"

namespace switchyard {
namespace {

// 47.5 GB/s of a card of 50: the middle of what NCCL's maintainers state for one rank's messages.
constexpr double kScaleOutInflation = 50.0 / 47.5;
constexpr double kScaleOutBand = 1.5 / 47.5;

bool is_within_a_domain(const RankGroup& group, const Topology& topology) {
  return std::ranges::all_of(group, [&](RankId rank) {
    return topology.scale_up_domain[rank.index()] ==
           topology.scale_up_domain[group.front().index()];
  });
}

/// The part of schedule_time() that latencies make, and the part that transfers make.
struct TimeParts {
  Seconds latency;
  Seconds transfer;
};

TimeParts time_parts(const CollectiveSchedule& schedule, const Topology& topology) {
  TimeParts parts;
  for (const Round& round : schedule.rounds)
    parts.latency += round.repeat * longest_latency(round, topology);
  parts.transfer = schedule_time(schedule, topology) - schedule.startup - parts.latency;
  return parts;
}

void inflate(CollectiveSchedule& schedule, double factor) {
  for (Round& round : schedule.rounds) {
    for (Flow& flow : round.flows) flow.bytes = factor * flow.bytes;
    if (round.all_pairs) round.all_pairs->bytes = factor * round.all_pairs->bytes;
  }
}

}  // namespace

LibraryCollective library_collective(const CollectiveRequest& request, const Topology& topology,
                                     const std::optional<CollectiveProfile>& profile) {
  LibraryCollective result{
      .schedule = build_collective(request, topology,
                                   profile ? profile->thresholds : AlgorithmThresholds{})};
  const CollectiveTimes* times = profile ? find_times(*profile, request.kind) : nullptr;
  if (times == nullptr || num_rounds(result.schedule) == 0) return result;

  const std::vector<RankGroup> groups = resolved_groups(request, topology);
  const auto ranks = static_cast<int>(groups.front().size());
  const TimeParts parts = time_parts(result.schedule, topology);
  const bool within = std::ranges::all_of(
      groups, [&](const RankGroup& group) { return is_within_a_domain(group, topology); });
  TransportCost cost;
  if (within) {
    cost = transport_cost(*profile, request.kind, ranks, request.size, parts.transfer);
  } else {
    cost = {.startup = times->curves.back().times.front(),
            .byte_inflation = kScaleOutInflation,
            .provenance = Provenance::kExtrapolated,
            .error_band = kScaleOutBand};
    const Seconds startup = std::max(cost.startup, parts.latency);
    const double startup_share = startup / (startup + cost.byte_inflation * parts.transfer);
    cost.error_band += startup_share * (times->transfer_p90 - kScaleOutBand);
  }
  result.schedule.startup = std::max(Seconds{0}, cost.startup - parts.latency);
  inflate(result.schedule, cost.byte_inflation);
  result.byte_inflation = cost.byte_inflation;
  result.provenance = cost.provenance;
  result.error_band = cost.error_band;
  return result;
}

}  // namespace switchyard
