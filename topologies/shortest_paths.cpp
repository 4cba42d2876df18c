#include "topologies/shortest_paths.hpp"

#include "sim/core/error.hpp"

namespace switchyard {

ShortestPaths::ShortestPaths(const Topology& topology, const PathChoiceSpec& choice)
    : choice_{choice}, num_nodes_{boost::num_vertices(topology.graph)} {
  for (const NodeId rank : topology.ranks) ranks_.push_back(static_cast<std::uint32_t>(rank));
  std::vector<std::vector<std::uint32_t>> before(num_nodes_);
  for (NodeId node = 0; node < num_nodes_; ++node) {
    forwards_.push_back(topology.graph[node].forwards);
    first_.push_back(static_cast<std::uint32_t>(steps_.size()));
    for (const auto& edge : boost::make_iterator_range(boost::out_edges(node, topology.graph))) {
      const auto to = static_cast<std::uint32_t>(boost::target(edge, topology.graph));
      steps_.push_back({to, topology.graph[edge].id});
      before[to].push_back(static_cast<std::uint32_t>(node));
    }
  }
  first_.push_back(static_cast<std::uint32_t>(steps_.size()));
  distances_.assign(ranks_.size() * num_nodes_, kFar);
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) search_from(rank, before);
}

void ShortestPaths::search_from(std::size_t destination,
                                const std::vector<std::vector<std::uint32_t>>& before) {
  std::uint16_t* const distances = &distances_[destination * num_nodes_];
  std::vector<std::uint32_t> queue{ranks_[destination]};
  distances[ranks_[destination]] = 0;
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const std::uint32_t node = queue[next];
    if (next > 0 && !forwards_[node]) continue;
    for (const std::uint32_t other : before[node]) {
      if (distances[other] != kFar) continue;
      distances[other] = static_cast<std::uint16_t>(distances[node] + 1);
      queue.push_back(other);
    }
  }
}

bool ShortestPaths::reaches(RankId source, RankId destination) const {
  return distance(ranks_[source.index()], destination) != kFar;
}

bool ShortestPaths::leads_to(const Step& step, RankId destination, std::uint16_t distance_) const {
  return distance(step.node, destination) == distance_ && (distance_ == 0 || forwards_[step.node]);
}

void ShortestPaths::append(RankId source, RankId destination, std::vector<LinkId>& links) const {
  SWITCHYARD_CHECK(reaches(source, destination), "rank {} to rank {}", source.value(),
                   destination.value());
  std::uint64_t number = choice_number(choice_, source.index(), destination.index());
  std::uint32_t node = ranks_[source.index()];
  while (node != ranks_[destination.index()]) {
    const auto next = static_cast<std::uint16_t>(distance(node, destination) - 1);
    std::uint32_t num_choices = 0;
    for (std::uint32_t s = first_[node]; s < first_[node + 1]; ++s)
      if (leads_to(steps_[s], destination, next)) ++num_choices;
    std::uint64_t chosen = number % num_choices;
    // Each node looks at other bits, or all would choose alike.
    if (choice_.kind == PathChoice::kEcmp)
      number = splitmix64(number);
    else
      number /= num_choices;
    for (std::uint32_t s = first_[node];; ++s) {
      if (!leads_to(steps_[s], destination, next) || chosen-- > 0) continue;
      links.push_back(steps_[s].link);
      node = steps_[s].node;
      break;
    }
  }
}

std::optional<DisconnectedPair> find_disconnected(const Topology& topology,
                                                  const ShortestPaths& paths) {
  const auto ranks = static_cast<std::int32_t>(topology.ranks.size());
  for (std::int32_t source = 0; source < ranks; ++source)
    for (std::int32_t destination = 0; destination < ranks; ++destination)
      if (!paths.reaches(RankId{source}, RankId{destination}))
        return DisconnectedPair{RankId{source}, RankId{destination}};
  return std::nullopt;
}

}  // namespace switchyard
