#include "sim/cli/network_facts.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "sim/cli/read_network.hpp"
#include "sim/core/units_format.hpp"
#include "sim/report/text_table.hpp"
#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

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

/// "leaf" of "rail3/leaf0": what nodes of a kind have in common.
std::string family(const std::string& name) {
  std::string last = name.substr(name.rfind('/') + 1);
  return last.substr(0, last.find_first_of("0123456789("));
}

std::vector<CableKind> cable_kinds(const Topology& topology, bool is_named_by_user) {
  const std::vector<Ends> ends = ends_of(topology);
  std::vector<CableKind> kinds;
  std::set<std::tuple<std::size_t, NodeId, NodeId>> seen;
  for (const NetworkLink& link : topology.links) {
    const auto [low, high] = std::minmax(ends[link.id.index()].from, ends[link.id.index()].to);
    const auto name = [&](NodeId node) {
      if (!is_named_by_user) return family(topology.graph[node].name);
      return std::string{topology.graph[node].kind == NodeKind::kRank ? "rank" : "switch"};
    };
    std::string one = name(low);
    std::string other = name(high);
    if (other == "rank" || (other == "nic" && one != "rank")) std::swap(one, other);
    const CableKind kind{.ends = fmt::format("{} - {}", one, other),
                         .count = 0,
                         .link = {link.bandwidth, link.latency},
                         .place = link.place};
    auto found = std::ranges::find_if(kinds, [&](const CableKind& k) {
      return k.ends == kind.ends && k.link.bandwidth == kind.link.bandwidth &&
             k.link.latency == kind.link.latency;
    });
    if (found == kinds.end()) found = kinds.insert(kinds.end(), kind);
    if (seen.insert({static_cast<std::size_t>(found - kinds.begin()), low, high}).second)
      ++found->count;
  }
  return kinds;
}

std::string_view place_name(LinkPlace place) {
  return place == LinkPlace::kOnChip ? "on-chip" : "network";
}

std::string_view state_name(LinkState state) {
  return state == LinkState::kFailed ? "failed" : state == LinkState::kSlow ? "slow" : "good";
}

void mark(const std::vector<std::string>& names, LinkState state, NetworkFacts& facts) {
  std::size_t next = 0;  // the names are in the order of the links
  for (const NetworkLink& link : facts.built.links)
    if (next < names.size() && link.name == names[next]) {
      facts.state[link.id.index()] = state;
      ++next;
    }
}

const NetworkSpec& as_built(const NetworkSpec& spec) {
  const auto* degraded = std::get_if<DegradedSpec>(&spec);
  return degraded == nullptr ? spec : *degraded->network;
}

std::string bandwidth_text(BytesPerSecond rate) {
  constexpr BytesPerSecond kUnlimited{1e15};
  return rate >= kUnlimited ? "never binds" : fmt::format("{}", rate);
}

/// The bandwidth each link as built has now.
std::vector<BytesPerSecond> bandwidths_now(const NetworkFacts& facts) {
  std::vector<BytesPerSecond> now;
  std::size_t next = 0;
  for (const NetworkLink& link : facts.built.links)
    now.push_back(facts.state[link.id.index()] == LinkState::kFailed
                      ? BytesPerSecond{0}
                      : facts.topology.links[next++].bandwidth);
  return now;
}

}  // namespace

NetworkFacts network_facts(const NetworkSpec& spec) {
  NetworkFacts facts;
  facts.topology = build_topology(spec);
  facts.built = build_topology(as_built(spec));
  facts.state.assign(facts.built.links.size(), LinkState::kGood);
  if (const auto* degraded = std::get_if<DegradedSpec>(&spec)) {
    const DegradedLinks links = degraded_links(*degraded);
    mark(links.failed, LinkState::kFailed, facts);
    mark(links.slow, LinkState::kSlow, facts);
    facts.num_rerouted_pairs = num_rerouted_pairs(*degraded);
  }
  for (const NodeId node : boost::make_iterator_range(boost::vertices(facts.topology.graph)))
    facts.num_switches += facts.topology.graph[node].kind == NodeKind::kRouter ? 1 : 0;
  facts.cables = cable_kinds(facts.topology, std::holds_alternative<GraphSpec>(as_built(spec)));
  const PathStatistics statistics = path_statistics(facts.topology);
  facts.diameter = statistics.diameter;
  facts.average_hops = statistics.average_hops;
  facts.bisection = bisection(spec, facts.topology);
  std::vector<Bytes> loads;
  for (const std::int64_t messages : statistics.messages)
    loads.emplace_back(1e6 * static_cast<double>(messages));
  facts.all_to_all = bottleneck_time(facts.topology, loads);
  if (const auto link = busiest_link(facts.topology, statistics))
    facts.busiest_cable = facts.topology.links[link->index()].name;
  return facts;
}

std::string facts_text(const NetworkFacts& facts) {
  const int ranks = num_ranks(facts.topology);
  std::string text;
  const auto line = [&text](std::string_view what, const std::string& value) {
    text += fmt::format("  {:<22}{}\n", what, value);
  };
  line("ranks", fmt::format("{}", ranks));
  line("switches or routers", fmt::format("{}", facts.num_switches));
  for (const CableKind& kind : facts.cables)
    line(&kind == facts.cables.data() ? "cables" : "",
         fmt::format("{} of {}: {} per direction, {} latency{}", kind.count, kind.ends,
                     bandwidth_text(kind.link.bandwidth), kind.link.latency,
                     kind.place == LinkPlace::kOnChip ? " (on board)" : ""));
  line("diameter", fmt::format("{} hops", facts.diameter));
  line("average distance", fmt::format("{:.3g} hops", facts.average_hops));
  if (ranks > 1)
    line("bisection bandwidth",
         fmt::format("{} ({})", facts.bisection.bandwidth,
                     facts.bisection.is_narrowest ? facts.bisection.cut
                                                  : "this cut only: " + facts.bisection.cut));
  if (facts.all_to_all > Seconds{0})
    line("uniform all-to-all",
         fmt::format("{} for 1 MB to each other rank, at best: {} out of a rank", facts.all_to_all,
                     (ranks - 1) * Bytes{1e6} / facts.all_to_all));
  if (facts.busiest_cable) line("busiest cable", *facts.busiest_cable);
  const auto failed = std::ranges::count(facts.state, LinkState::kFailed);
  const auto slow = std::ranges::count(facts.state, LinkState::kSlow);
  if (failed > 0 || slow > 0)
    line("degraded",
         fmt::format("{} links failed, {} slow; {} of {} paths go another, shortest way", failed,
                     slow, facts.num_rerouted_pairs, std::int64_t{ranks} * (ranks - 1)));
  return text;
}

std::string links_text(const NetworkFacts& facts) {
  const std::vector<Ends> ends = ends_of(facts.built);
  const std::vector<BytesPerSecond> now = bandwidths_now(facts);
  TextTable table;
  table.columns = {{"link", Alignment::kLeft},
                   {"from", Alignment::kLeft},
                   {"to", Alignment::kLeft},
                   {"bandwidth"},
                   {"latency"},
                   {"place", Alignment::kLeft},
                   {"state", Alignment::kLeft}};
  for (const NetworkLink& link : facts.built.links) {
    const std::size_t i = link.id.index();
    table.rows.push_back({link.name, facts.built.graph[ends[i].from].name,
                          facts.built.graph[ends[i].to].name, bandwidth_text(now[i]),
                          fmt::format("{}", link.latency), std::string{place_name(link.place)},
                          std::string{state_name(facts.state[i])}});
  }
  constexpr std::size_t kAnyWidth = 1000;
  return format(table, kAnyWidth);
}

Json facts_json(const std::string& name, const NetworkSpec& spec, const NetworkFacts& facts) {
  const std::vector<Ends> ends = ends_of(facts.built);
  const std::vector<BytesPerSecond> now = bandwidths_now(facts);
  Json json;
  json["name"] = name;
  json["network"] = network_json(spec);
  json["ranks"] = num_ranks(facts.topology);
  json["switches"] = facts.num_switches;
  for (const CableKind& kind : facts.cables)
    json["cables"].push_back({{"ends", kind.ends},
                              {"count", kind.count},
                              {"bandwidth_bytes_per_s", kind.link.bandwidth.base()},
                              {"latency_s", kind.link.latency.base()},
                              {"place", place_name(kind.place)}});
  json["diameter_hops"] = facts.diameter;
  json["average_hops"] = facts.average_hops;
  json["bisection_bandwidth_bytes_per_s"] = facts.bisection.bandwidth.base();
  json["bisection_cut"] = facts.bisection.cut;
  json["bisection_is_narrowest"] = facts.bisection.is_narrowest;
  json["all_to_all_bound_s_per_megabyte"] = facts.all_to_all.base();
  json["busiest_cable"] = facts.busiest_cable ? Json(*facts.busiest_cable) : Json(nullptr);
  json["rerouted_pairs"] = facts.num_rerouted_pairs;
  json["nodes"] = Json::array();
  for (const NodeId node : boost::make_iterator_range(boost::vertices(facts.built.graph))) {
    const NetworkNode& given = facts.built.graph[node];
    json["nodes"].push_back(
        {{"name", given.name}, {"kind", given.kind == NodeKind::kRank ? "rank" : "switch"}});
  }
  json["links"] = Json::array();
  for (const NetworkLink& link : facts.built.links) {
    const std::size_t i = link.id.index();
    json["links"].push_back({{"name", link.name},
                             {"from", facts.built.graph[ends[i].from].name},
                             {"to", facts.built.graph[ends[i].to].name},
                             {"bandwidth_bytes_per_s", now[i].base()},
                             {"latency_s", link.latency.base()},
                             {"place", place_name(link.place)},
                             {"state", state_name(facts.state[i])}});
  }
  return json;
}

}  // namespace switchyard
