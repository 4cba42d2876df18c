#include "sim/engine/round_times.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "sim/core/error.hpp"
#include "sim/engine/flow_classes.hpp"
#include "sim/engine/flow_set.hpp"

namespace switchyard {
namespace {

constexpr int kUnknown = -1;

/// The orbit of each rank, told by the first link of its paths; nothing where that does not tell.
std::optional<std::vector<int>> rank_orbits(const Topology& topology) {
  const PathSymmetry& symmetry = *topology.symmetry;
  const int ranks = num_ranks(topology);
  std::vector<LinkId> links;
  const auto first_orbit = [&](RankId rank) {
    links.clear();
    append_path(topology, rank, RankId{(rank.value() + 1) % ranks}, links);
    return symmetry.link_orbit[links.front().index()];
  };
  std::vector<int> orbit_of_link(topology.links.size(), kUnknown);
  for (std::size_t k = 0; k < symmetry.representatives.size(); ++k) {
    int& orbit = orbit_of_link[static_cast<std::size_t>(first_orbit(symmetry.representatives[k]))];
    if (orbit != kUnknown) return std::nullopt;
    orbit = static_cast<int>(k);
  }
  std::vector<int> orbits;
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    orbits.push_back(orbit_of_link[static_cast<std::size_t>(first_orbit(RankId{rank}))]);
    if (orbits.back() == kUnknown) return std::nullopt;
  }
  return orbits;
}

/// The flows of each representative, over the orbits of links.
FlowClasses orbit_classes(const Topology& topology, Bytes bytes) {
  const PathSymmetry& symmetry = *topology.symmetry;
  const auto orbits = static_cast<std::size_t>(std::ranges::max(symmetry.link_orbit)) + 1;
  FlowClasses classes;
  classes.capacity.resize(orbits);
  std::vector<double> size(orbits);
  std::vector<Seconds> latency(orbits);
  for (const NetworkLink& link : topology.links) {
    const auto orbit = static_cast<std::size_t>(symmetry.link_orbit[link.id.index()]);
    classes.capacity[orbit] = link.bandwidth;
    latency[orbit] = link.latency;
    size[orbit] += 1.0;
  }
  std::vector<int> crossings(orbits);
  std::vector<LinkId> links;
  for (const RankId source : symmetry.representatives) {
    for (std::int32_t to = 0; to < num_ranks(topology); ++to) {
      if (to == source.value()) continue;
      links.clear();
      append_path(topology, source, RankId{to}, links);
      Seconds start;
      const std::size_t first = classes.link_class.size();
      for (const LinkId link : links) {
        const auto orbit = static_cast<std::size_t>(symmetry.link_orbit[link.index()]);
        start += latency[orbit];
        if (crossings[orbit]++ == 0)
          classes.link_class.push_back(static_cast<std::uint32_t>(orbit));
      }
      for (std::size_t k = first; k < classes.link_class.size(); ++k) {
        const std::size_t orbit = classes.link_class[k];
        classes.weight.push_back(crossings[orbit] * symmetry.orbit_size / size[orbit]);
        crossings[orbit] = 0;
      }
      classes.first_link.push_back(static_cast<std::uint32_t>(classes.link_class.size()));
      classes.bytes.push_back(bytes);
      classes.start.push_back(start);
    }
  }
  return classes;
}

Seconds bound_of(const FlowClasses& classes) {
  std::vector<Bytes> loads(classes.capacity.size());
  for (std::size_t c = 0; c < classes.bytes.size(); ++c)
    for (std::uint32_t k = classes.first_link[c]; k < classes.first_link[c + 1]; ++k)
      loads[classes.link_class[k]] += classes.weight[k] * classes.bytes[c];
  Seconds bound;
  for (std::size_t o = 0; o < loads.size(); ++o)
    bound = std::max(bound, loads[o] / classes.capacity[o]);
  return bound;
}

RoundTimes by_symmetry(const Topology& topology, Bytes bytes, const std::vector<int>& orbits) {
  const PathSymmetry& symmetry = *topology.symmetry;
  const FlowClasses classes = orbit_classes(topology, bytes);
  const std::vector<Seconds> times = class_times(classes);
  // A class has one flow from each rank of the source's orbit and one to each of the destination's.
  std::vector<Seconds> left(symmetry.representatives.size());
  std::size_t c = 0;
  for (std::size_t k = 0; k < left.size(); ++k) {
    for (std::int32_t to = 0; to < num_ranks(topology); ++to) {
      if (to == symmetry.representatives[k].value()) continue;
      Seconds& received = left[static_cast<std::size_t>(orbits[static_cast<std::size_t>(to)])];
      left[k] = std::max(left[k], times[c]);
      received = std::max(received, times[c]);
      ++c;
    }
  }
  RoundTimes result{
      .method = RoundMethod::kSymmetry, .left = {}, .makespan = {}, .bound = bound_of(classes)};
  for (const int orbit : orbits) result.left.push_back(left[static_cast<std::size_t>(orbit)]);
  return result;
}

std::vector<Flow> messages(const Round& round, int ranks) {
  std::vector<Flow> flows;
  flows.reserve(static_cast<std::size_t>(num_messages(round, ranks)));
  for_each_message(round, ranks, [&](const Flow& flow) { flows.push_back(flow); });
  return flows;
}

RoundTimes by_flows(const Round& round, const Topology& topology) {
  const std::vector<Flow> flows = messages(round, num_ranks(topology));
  const FlowSet set = make_flow_set(topology, flows);
  RoundTimes result{.method = RoundMethod::kFlows,
                    .left = std::vector<Seconds>(topology.ranks.size()),
                    .makespan = {},
                    .bound = link_load_bound(set)};
  const auto leave = [&](const Flow& flow, Seconds date) {
    for (const RankId rank : {flow.source, flow.destination})
      result.left[rank.index()] = std::max(result.left[rank.index()], date);
  };
  if (round.all_pairs) {
    result.method = RoundMethod::kRefinement;
    const Refinement refinement = refine(set);
    const std::vector<Seconds> times = class_times(refinement.classes);
    for (std::size_t f = 0; f < flows.size(); ++f) leave(flows[f], times[refinement.flow_class[f]]);
  } else {
    const FlowTimes times = exact_times(set);
    for (std::size_t f = 0; f < flows.size(); ++f) leave(flows[f], times.finish[f]);
  }
  return result;
}

/// Gives dates that differ by rounding only the latest of them.
void join_dates(std::vector<Seconds>& dates) {
  constexpr double kRounding = 1e-12;
  std::vector<std::size_t> order(dates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, std::ranges::greater{}, [&](std::size_t k) { return dates[k]; });
  for (std::size_t k = 1; k < order.size(); ++k)
    if (dates[order[k]] >= (1 - kRounding) * dates[order[k - 1]])
      dates[order[k]] = dates[order[k - 1]];
}

}  // namespace

std::string_view method_name(RoundMethod method) {
  switch (method) {
    case RoundMethod::kFlows:
      return "flows";
    case RoundMethod::kSymmetry:
      return "symmetry";
    case RoundMethod::kRefinement:
      return "refinement";
  }
  return "";
}

RoundTimes round_times(const Round& round, const Topology& topology) {
  const bool is_symmetric = round.all_pairs && topology.symmetry && num_ranks(topology) > 1;
  const auto orbits = is_symmetric ? rank_orbits(topology) : std::nullopt;
  RoundTimes result =
      orbits ? by_symmetry(topology, round.all_pairs->bytes, *orbits) : by_flows(round, topology);
  join_dates(result.left);
  if (!result.left.empty()) result.makespan = std::ranges::max(result.left);
  return result;
}

}  // namespace switchyard
