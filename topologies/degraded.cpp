#include "topologies/degraded.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "sim/core/error.hpp"
#include "topologies/network_spec.hpp"
#include "topologies/shortest_paths.hpp"

namespace switchyard {
namespace {

constexpr LinkId kFailed{-1};

/// A network as built and what is wrong with each link.
struct Damage {
  Topology built;
  std::vector<double> factor;  ///< by link as built; 0 has failed
  SpecProblems problems;
};

struct Ends {
  NodeId from;
  NodeId to;
};

std::vector<Ends> ends_of(const Topology& topology) {
  std::vector<Ends> ends(topology.links.size());
  for (const auto& edge : boost::make_iterator_range(boost::edges(topology.graph)))
    ends[topology.graph[edge].id.index()] = {boost::source(edge, topology.graph),
                                             boost::target(edge, topology.graph)};
  return ends;
}

void damage_links(const DegradedSpec& spec, Damage& damage) {
  const std::vector<Ends> ends = ends_of(damage.built);
  std::unordered_map<std::string, LinkId> by_name;
  for (const NetworkLink& link : damage.built.links) by_name.emplace(link.name, link.id);
  for (std::size_t i = 0; i < spec.links.size(); ++i) {
    const LinkFault& fault = spec.links[i];
    const std::string key = fmt::format("links[{}]", i);
    const double factor = fault.bandwidth_factor.value_or(0.0);
    if (fault.bandwidth_factor && !(factor > 0.0 && factor <= 1.0))
      damage.problems.push_back(
          {key, fmt::format("bandwidth_factor must be above 0 and at most 1, got {}", factor)});
    const auto found = by_name.find(fault.link);
    if (found == by_name.end()) {
      damage.problems.push_back(
          {key,
           fmt::format("no link is named \"{}\"; `show topology --links` lists them", fault.link)});
      continue;
    }
    damage.factor[found->second.index()] *= factor;
    if (!fault.both_directions) continue;
    const Ends& given = ends[found->second.index()];
    for (const NetworkLink& link : damage.built.links) {
      const Ends& other = ends[link.id.index()];
      if (other.from == given.to && other.to == given.from)
        damage.factor[link.id.index()] *= factor;
    }
  }
}

void fail_switches(const DegradedSpec& spec, Damage& damage) {
  const NetworkGraph& graph = damage.built.graph;
  for (std::size_t i = 0; i < spec.failed_switches.size(); ++i) {
    const std::string& name = spec.failed_switches[i];
    const auto vertices = boost::make_iterator_range(boost::vertices(graph));
    const auto node = std::find_if(vertices.begin(), vertices.end(), [&](NodeId vertex) {
      return graph[vertex].kind == NodeKind::kRouter && graph[vertex].name == name;
    });
    if (node == vertices.end()) {
      damage.problems.push_back({fmt::format("failed_switches[{}]", i),
                                 fmt::format("no switch is named \"{}\"; `show topology --links` "
                                             "lists the ends of links",
                                             name)});
      continue;
    }
    for (const auto& edge : boost::make_iterator_range(boost::out_edges(*node, graph)))
      damage.factor[graph[edge].id.index()] = 0.0;
    for (const auto& edge : boost::make_iterator_range(boost::in_edges(*node, graph)))
      damage.factor[graph[edge].id.index()] = 0.0;
  }
}

Damage damage_of(const DegradedSpec& spec) {
  SWITCHYARD_CHECK(spec.network != nullptr, "a degraded network without a network");
  Damage damage{.built = build_topology(*spec.network), .factor = {}, .problems = {}};
  damage.factor.assign(damage.built.links.size(), 1.0);
  damage_links(spec, damage);
  fail_switches(spec, damage);
  return damage;
}

/// The nodes, ranks and surviving links; `renamed` gets the new id of each old link or kFailed.
Topology survivors(const Damage& damage, std::vector<LinkId>& renamed) {
  const Topology& built = damage.built;
  Topology topology;
  topology.name = built.name + ", degraded";
  topology.ranks = built.ranks;
  topology.scale_up_domain = built.scale_up_domain;
  topology.torus = built.torus;
  topology.in_switch_reduction = built.in_switch_reduction;
  for (NodeId node = 0; node < boost::num_vertices(built.graph); ++node)
    topology.graph[add_node(topology, built.graph[node].kind, built.graph[node].name)].forwards =
        built.graph[node].forwards;
  renamed.assign(built.links.size(), kFailed);
  for (const NetworkLink& link : built.links) {
    const double factor = damage.factor[link.id.index()];
    if (factor == 0.0) continue;
    NetworkLink survivor = link;
    survivor.id = renamed[link.id.index()] = LinkId{static_cast<int>(topology.links.size())};
    survivor.bandwidth *= factor;
    topology.links.push_back(std::move(survivor));
  }
  for (const auto& edge : boost::make_iterator_range(boost::edges(built.graph))) {
    const LinkId id = renamed[built.graph[edge].id.index()];
    if (id != kFailed)
      boost::add_edge(boost::source(edge, built.graph), boost::target(edge, built.graph),
                      topology.links[id.index()], topology.graph);
  }
  return topology;
}

bool has_failures(const Damage& damage) {
  return std::ranges::find(damage.factor, 0.0) != damage.factor.end();
}

constexpr PathChoiceSpec kAround{.kind = PathChoice::kEcmp, .seed = 0};

struct DegradedPaths {
  PathSelection built;
  std::vector<LinkId> renamed;
  ShortestPaths around;

  void append(RankId source, RankId destination, std::vector<LinkId>& links) const {
    const std::size_t begin = links.size();
    built(source, destination, links);
    for (std::size_t i = begin; i < links.size(); ++i) {
      links[i] = renamed[links[i].index()];
      if (links[i] != kFailed) continue;
      links.resize(begin);
      around.append(source, destination, links);
      return;
    }
  }
};

SpecProblems cut_off(const Topology& topology, const ShortestPaths& paths) {
  const auto pair = find_disconnected(topology, paths);
  if (!pair) return {};
  return {{"", fmt::format("the failures leave no path from rank {} to rank {}",
                           pair->source.value(), pair->destination.value())}};
}

}  // namespace

int num_ranks(const DegradedSpec& spec) { return num_ranks(*spec.network); }

SpecProblems problems(const DegradedSpec& spec) {
  SWITCHYARD_CHECK(spec.network != nullptr, "a degraded network without a network");
  if (SpecProblems found = problems(*spec.network); !found.empty()) return found;
  const Damage damage = damage_of(spec);
  if (!damage.problems.empty() || !has_failures(damage)) return damage.problems;
  std::vector<LinkId> renamed;
  const Topology topology = survivors(damage, renamed);
  return cut_off(topology, ShortestPaths{topology, kAround});
}

Topology build_degraded(const DegradedSpec& spec) {
  const Damage damage = damage_of(spec);
  throw_if_any("degraded", damage.problems);
  std::vector<LinkId> renamed;
  Topology topology = survivors(damage, renamed);
  if (!has_failures(damage)) {
    topology.path_selection = damage.built.path_selection;  // no link has another id
    return topology;
  }
  auto paths = std::make_shared<const DegradedPaths>(
      DegradedPaths{.built = damage.built.path_selection,
                    .renamed = std::move(renamed),
                    .around = ShortestPaths{topology, kAround}});
  throw_if_any("degraded", cut_off(topology, paths->around));
  topology.path_selection = [paths](RankId source, RankId destination, std::vector<LinkId>& links) {
    paths->append(source, destination, links);
  };
  return topology;
}

DegradedLinks degraded_links(const DegradedSpec& spec) {
  const Damage damage = damage_of(spec);
  DegradedLinks links;
  for (const NetworkLink& link : damage.built.links) {
    const double factor = damage.factor[link.id.index()];
    if (factor == 0.0)
      links.failed.push_back(link.name);
    else if (factor < 1.0)
      links.slow.push_back(link.name);
  }
  return links;
}

std::int64_t num_rerouted_pairs(const DegradedSpec& spec) {
  const Damage damage = damage_of(spec);
  if (!has_failures(damage)) return 0;
  const int ranks = num_ranks(damage.built);
  std::int64_t rerouted = 0;
  std::vector<LinkId> links;
  for (int source = 0; source < ranks; ++source)
    for (int destination = 0; destination < ranks; ++destination) {
      links.clear();
      append_path(damage.built, RankId{source}, RankId{destination}, links);
      rerouted += std::ranges::any_of(
          links, [&](LinkId link) { return damage.factor[link.index()] == 0.0; });
    }
  return rerouted;
}

}  // namespace switchyard
