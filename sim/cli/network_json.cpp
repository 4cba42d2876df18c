#include "sim/cli/quantity_text.hpp"
#include "sim/cli/read_network.hpp"

namespace switchyard {
namespace {

Json json_of(const LinkSpec& link) {
  return {{"bandwidth", exact_link_text(link.bandwidth)}, {"latency", exact_text(link.latency)}};
}

void add_choice(const PathChoiceSpec& choice, Json& json) {
  json["paths"] = choice.kind == PathChoice::kStatic ? "static" : "ecmp";
  json["path_seed"] = choice.seed;
}

Json body(const TorusSpec& torus) {
  constexpr std::string_view kAxes[] = {"x", "y", "z"};
  const TorusDimension& x = torus.dimensions[0];
  const auto length = [&](std::size_t d) {
    return d < torus.dimensions.size() ? torus.dimensions[d].length : 1;
  };
  Json json;
  json["width"] = x.length;
  json["height"] = length(1);
  if (torus.dimensions.size() > 2) json["depth"] = length(2);
  json["ranks_per_router"] = torus.ranks_per_router;
  json["wrap"] = x.wrap;
  json["tie_break"] = torus.tie == TieBreak::kSplit ? "split" : "fixed";
  json["link"] = json_of(x.link);
  for (std::size_t d = 1; d < torus.dimensions.size(); ++d) {
    const TorusDimension& own = torus.dimensions[d];
    Json& differs = json[std::string{kAxes[d]}];
    if (own.wrap != x.wrap) differs["wrap"] = own.wrap;
    if (own.link.bandwidth != x.link.bandwidth)
      differs["bandwidth"] = exact_link_text(own.link.bandwidth);
    if (own.link.latency != x.link.latency) differs["latency"] = exact_text(own.link.latency);
    if (differs.is_null()) json.erase(std::string{kAxes[d]});
  }
  return json;
}

Json body(const ScaleUpSpec& node) {
  Json json;
  json["ranks"] = node.num_ranks;
  json["port"] = json_of(node.port);
  json["in_switch_reduction"] = node.in_switch_reduction;
  return json;
}

Json body(const ClusterSpec& cluster) {
  Json fabric;
  fabric["leaves"] = cluster.fabric.leaves;
  fabric["spines"] = cluster.fabric.spines;
  fabric["oversubscription"] = cluster.fabric.oversubscription;
  fabric["latency"] = exact_text(cluster.fabric.latency);
  add_choice(cluster.fabric.choice, fabric);
  Json json;
  json["nodes"] = cluster.nodes;
  json["node"] = body(cluster.node);
  json["nics_per_node"] = cluster.nics_per_node;
  json["nic"] = json_of(cluster.nic);
  json["gpu_to_nic"] = json_of(cluster.gpu_to_nic);
  json["rails"] = cluster.rails == Rails::kOptimised ? "optimised" : "plain";
  json["nvlink_forwarding"] = cluster.nvlink_forwarding;
  json["fabric"] = std::move(fabric);
  return json;
}

Json body(const FatTreeSpec& tree) {
  Json json;
  json["pods"] = tree.pods;
  json["leaves"] = tree.leaves;
  json["hosts_per_leaf"] = tree.hosts_per_leaf;
  json["spines"] = tree.spines;
  json["cores_per_spine"] = tree.cores_per_spine;
  json["host_link"] = json_of(tree.host_link);
  json["oversubscription"] = tree.oversubscription;
  json["core_oversubscription"] = tree.core_oversubscription;
  json["switch_latency"] = exact_text(tree.switch_latency);
  add_choice(tree.choice, json);
  return json;
}

Json body(const FullyConnectedSpec& network) {
  Json json;
  json["ranks"] = network.num_ranks;
  json["link"] = json_of(network.link);
  return json;
}

Json body(const HierarchySpec& hierarchy) {
  Json json;
  json["inside"] = network_json(*hierarchy.inside);
  json["outside"] = network_json(*hierarchy.outside);
  json["port"] = json_of(hierarchy.port);
  return json;
}

Json body(const GraphSpec& graph) {
  Json json;
  for (const GraphSpec::Node& node : graph.nodes) {
    Json item;
    item["name"] = node.name;
    item["kind"] = node.kind == NodeKind::kRank ? "rank" : "switch";
    item["domain"] = node.domain;
    json["nodes"].push_back(std::move(item));
  }
  json["links"] = Json::array();
  for (const GraphSpec::Link& link : graph.links) {
    Json item;
    item["from"] = link.from;
    item["to"] = link.to;
    item.update(json_of(link.link));
    item["duplex"] = link.duplex == Duplex::kFull   ? "full"
                     : link.duplex == Duplex::kHalf ? "half"
                                                    : "one-way";
    json["links"].push_back(std::move(item));
  }
  add_choice(graph.choice, json);
  return json;
}

Json faults(const DegradedSpec& degraded) {
  Json list = Json::array();
  for (const LinkFault& fault : degraded.links) {
    Json item;
    item["link"] = fault.link;
    if (fault.bandwidth_factor)
      item["bandwidth_factor"] = *fault.bandwidth_factor;
    else
      item["failed"] = true;
    item["direction"] = fault.both_directions ? "both" : "one";
    list.push_back(std::move(item));
  }
  for (const std::string& name : degraded.failed_switches)
    list.push_back({{"switch", name}, {"failed", true}});
  return list;
}

std::string_view key_of(const TorusSpec&) { return "torus"; }
std::string_view key_of(const ScaleUpSpec&) { return "scale_up"; }
std::string_view key_of(const ClusterSpec&) { return "cluster"; }
std::string_view key_of(const FatTreeSpec&) { return "fat_tree"; }
std::string_view key_of(const FullyConnectedSpec&) { return "fully_connected"; }
std::string_view key_of(const HierarchySpec&) { return "hierarchy"; }
std::string_view key_of(const GraphSpec&) { return "graph"; }

template <class Spec>
Json keyed(const Spec& spec) {
  Json json;
  json[std::string{key_of(spec)}] = body(spec);
  return json;
}

Json keyed(const DegradedSpec& degraded) {
  Json json = network_json(*degraded.network);
  json["degraded"] = faults(degraded);
  return json;
}

}  // namespace

Json network_json(const NetworkSpec& network) {
  return std::visit([](const auto& spec) { return keyed(spec); }, network);
}

}  // namespace switchyard
