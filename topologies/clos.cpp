#include "topologies/clos.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace switchyard {

BytesPerSecond uplink_bandwidth(BytesPerSecond below, double oversubscription, int ways) {
  return below / (oversubscription * ways);
}

ClosFabric::ClosFabric(const ClosSpec& spec, const std::vector<std::string>& leaf_names,
                       Topology& topology)
    : spec_{spec} {
  const auto link_both = [&topology](NodeId low, NodeId high, const LinkSpec& link,
                                     std::vector<LinkId>& up, std::vector<LinkId>& down) {
    const std::string from = topology.graph[low].name;
    const std::string to = topology.graph[high].name;
    up.push_back(add_link(topology, low, high, from + "->" + to, link));
    down.push_back(add_link(topology, high, low, to + "->" + from, link));
  };
  for (const std::string& name : leaf_names)
    leaves_.push_back(add_node(topology, NodeKind::kRouter, name));
  for (int pod = 0; pod < spec_.pods; ++pod)
    for (int j = 0; j < spec_.spines; ++j)
      spines_.push_back(add_node(
          topology, NodeKind::kRouter,
          spec_.pods == 1 ? fmt::format("spine{}", j) : fmt::format("pod{}/spine{}", pod, j)));
  const bool has_cores = spec_.pods > 1;
  for (int c = 0; has_cores && c < ways(); ++c)
    cores_.push_back(add_node(topology, NodeKind::kRouter, fmt::format("core{}", c)));
  for (int leaf = 0; leaf < spec_.pods * spec_.leaves; ++leaf)
    for (int j = 0; j < spec_.spines; ++j)
      link_both(leaves_[static_cast<std::size_t>(leaf)], spine(leaf / spec_.leaves, j),
                spec_.uplink, up_, down_);
  for (int pod = 0; has_cores && pod < spec_.pods; ++pod)
    for (int c = 0; c < ways(); ++c)
      link_both(spine(pod, c % spec_.spines), cores_[static_cast<std::size_t>(c)], spec_.core_link,
                core_up_, core_down_);
}

int ClosFabric::ways() const { return spec_.spines * std::max(1, spec_.cores_per_spine); }

NodeId ClosFabric::spine(int pod, int j) const {
  return spines_[static_cast<std::size_t>(pod * spec_.spines + j)];
}

void ClosFabric::append(int source, int destination, std::vector<LinkId>& links) const {
  const int from = leaf_of(source);
  const int to = leaf_of(destination);
  if (from == to) return;
  const std::uint64_t number = choice_number(spec_.choice, static_cast<std::size_t>(source),
                                             static_cast<std::size_t>(destination));
  const int way = static_cast<int>(number % static_cast<std::uint64_t>(ways()));
  const int j = way % spec_.spines;
  const int from_pod = from / spec_.leaves;
  const int to_pod = to / spec_.leaves;
  links.push_back(up_[static_cast<std::size_t>(from * spec_.spines + j)]);
  if (from_pod != to_pod) {
    links.push_back(core_up_[static_cast<std::size_t>(from_pod * ways() + way)]);
    links.push_back(core_down_[static_cast<std::size_t>(to_pod * ways() + way)]);
  }
  links.push_back(down_[static_cast<std::size_t>(to * spec_.spines + j)]);
}

bool ClosFabric::rotates() const {
  if (spec_.spines == 0) return true;
  return spec_.choice.kind == PathChoice::kStatic && spec_.hosts_per_leaf % ways() == 0;
}

void ClosFabric::rotate_ways(std::vector<NodeId>& permutation) const {
  for (int pod = 0; pod < spec_.pods; ++pod)
    for (int j = 0; j < spec_.spines; ++j)
      permutation[spine(pod, j)] = spine(pod, (j + 1) % spec_.spines);
  for (std::size_t c = 0; c < cores_.size(); ++c)
    permutation[cores_[c]] = cores_[(c + 1) % cores_.size()];
}

void ClosFabric::rotate_leaves(std::vector<NodeId>& permutation) const {
  for (int pod = 0; pod < spec_.pods; ++pod)
    for (int l = 0; l < spec_.leaves; ++l)
      permutation[leaf(pod * spec_.leaves + l)] = leaf(pod * spec_.leaves + (l + 1) % spec_.leaves);
}

void ClosFabric::rotate_pods(std::vector<NodeId>& permutation) const {
  const int leaves = spec_.pods * spec_.leaves;
  for (int l = 0; l < leaves; ++l) permutation[leaf(l)] = leaf((l + spec_.leaves) % leaves);
  for (std::size_t s = 0; s < spines_.size(); ++s)
    permutation[spines_[s]] =
        spines_[(s + static_cast<std::size_t>(spec_.spines)) % spines_.size()];
}

}  // namespace switchyard
