#include "sim/cli/read_network.hpp"

#include "sim/cli/read_faults.hpp"

namespace switchyard {
namespace {

constexpr IntegerRange kRankCount{.min = 1, .max = kMaxRanks};

LinkSpec read_link(Section section) {
  LinkSpec link{.bandwidth = section.bandwidth("bandwidth", "Per cable and direction."),
                .latency = section.seconds("latency", "Of one hop, one way.")};
  section.finish();
  return link;
}

/// Puts what a spec's own check finds at the keys of the section it was read from.
template <class Spec>
void report_problems(const Spec& spec, Section& section) {
  if (!section.ok()) return;
  for (const SpecProblem& problem : problems(spec))
    problem.key.empty() ? section.problem(problem.text)
                        : section.problem(problem.key, problem.text);
}

PathChoiceSpec read_choice(Section& section) {
  PathChoiceSpec choice;
  choice.kind = section.optional_choice<PathChoice>(
      "paths", "Which of several equal ways: by the destination in turn, or by a hash.",
      PathChoice::kStatic, {{"static", PathChoice::kStatic}, {"ecmp", PathChoice::kEcmp}});
  choice.seed = static_cast<std::uint64_t>(
      section.optional_integer("path_seed", "Seed of the hash of paths: ecmp.", 0, {.min = 0}));
  return choice;
}

/// What one dimension of a torus has of its own.
void read_dimension(Section section, TorusDimension& dimension) {
  dimension.wrap = section.optional_boolean("wrap", "Whether it closes to rings.", dimension.wrap);
  dimension.link.bandwidth =
      section.optional_bandwidth("bandwidth", "Of its links.", dimension.link.bandwidth);
  dimension.link.latency =
      section.optional_seconds("latency", "Of its links.", dimension.link.latency);
  section.finish();
}

NetworkSpec read_torus(Section section) {
  constexpr IntegerRange kSide{.min = 1, .max = 1024};
  constexpr std::string_view kAxes[] = {"x", "y", "z"};
  TorusSpec torus;
  std::vector<int> lengths{section.count("width", "Chips along x.", kSide),
                           section.count("height", "Chips along y.", kSide)};
  const int depth = section.optional_count("depth", "Chips along z.", 1, kSide);
  if (depth > 1) lengths.push_back(depth);
  torus.ranks_per_router = section.count("ranks_per_router", "Cores of a chip.", {1, 64});
  const bool wrap = section.optional_boolean("wrap", "Whether dimensions close to rings.", true);
  torus.tie = section.optional_choice<TieBreak>(
      "tie_break", "Which way half round an even ring: alternating, or always the same.",
      TieBreak::kSplit, {{"split", TieBreak::kSplit}, {"fixed", TieBreak::kFixed}});
  const LinkSpec link = read_link(section.subsection("link", "A link between neighbouring chips."));
  TorusDimension unused;
  for (const int length : lengths)
    torus.dimensions.push_back({.length = length, .wrap = wrap, .link = link});
  for (std::size_t d = 0; d < std::size(kAxes); ++d)
    if (auto own = section.optional_subsection(kAxes[d], "What differs along this dimension."))
      read_dimension(std::move(*own), d < lengths.size() ? torus.dimensions[d] : unused);
  if (section.ok()) {
    std::int64_t ranks = torus.ranks_per_router;
    for (const int length : lengths) ranks *= length;
    if (ranks > kMaxRanks)
      section.problem(fmt::format("{} ranks; at most {} are supported", ranks, kMaxRanks));
  }
  section.finish();
  return torus;
}

ScaleUpSpec read_node(Section section) {
  ScaleUpSpec node;
  node.num_ranks = section.count("ranks", "GPUs joined by the switches.", kRankCount);
  node.port = read_link(section.subsection("port", "GPU to switches, all its links together."));
  node.in_switch_reduction = section.optional_boolean(
      "in_switch_reduction", "Whether the switches can add up (NVLink SHARP).", false);
  section.finish();
  return node;
}

NetworkSpec read_cluster(Section section) {
  ClusterSpec cluster;
  cluster.nodes = section.count("nodes", "Nodes, or racks such as NVL72.", kRankCount);
  cluster.node = read_node(section.subsection("node", "GPUs behind the NVLink switches."));
  cluster.nics_per_node =
      section.count("nics_per_node", "NICs: a divisor of the GPUs of a node.", kRankCount);
  cluster.nic = read_link(section.subsection("nic", "NIC to leaf switch."));
  if (auto link = section.optional_subsection("gpu_to_nic", "GPU to NIC; never binds if missing."))
    cluster.gpu_to_nic = read_link(std::move(*link));
  cluster.rails = section.choice<Rails>(
      "rails", "NIC n of every node to leaves of rail n, or all NICs of a node to one leaf.",
      {{"optimised", Rails::kOptimised}, {"plain", Rails::kPlain}});
  cluster.nvlink_forwarding = section.optional_boolean(
      "nvlink_forwarding",
      "Whether a message to another rail leaves by the NIC of its own node's GPU on that rail.",
      cluster.rails == Rails::kOptimised);
  Section fabric = section.subsection("fabric", "Leaf and spine switches.");
  cluster.fabric.leaves =
      fabric.count("leaves", "Leaves of each rail, or of all with plain rails.", kRankCount);
  cluster.fabric.spines =
      fabric.count("spines", "Above all leaves; 0 where messages never change leaf.", {0, 4096});
  cluster.fabric.oversubscription = fabric.optional_number(
      "oversubscription", "Bandwidth below a leaf over that above.", 1.0, {.above = 0.0});
  cluster.fabric.latency = fabric.seconds("latency", "Of a link between leaf and spine.");
  cluster.fabric.choice = read_choice(fabric);
  fabric.finish();
  report_problems(cluster, section);
  section.finish();
  return cluster;
}

NetworkSpec read_fat_tree(Section section) {
  FatTreeSpec tree;
  tree.pods =
      section.optional_count("pods", "Pods below core switches; 1 is two tiers.", 1, kRankCount);
  tree.leaves = section.count("leaves", "Leaf switches of a pod.", kRankCount);
  tree.hosts_per_leaf = section.count("hosts_per_leaf", "Ranks at a leaf.", kRankCount);
  tree.spines = section.count("spines", "Spine switches of a pod.", kRankCount);
  tree.cores_per_spine = section.optional_count(
      "cores_per_spine", "Core switches above each spine of a pod.", 0, {0, kMaxRanks});
  tree.host_link = read_link(section.subsection("host_link", "Rank to leaf."));
  tree.oversubscription = section.optional_number(
      "oversubscription", "Bandwidth below a leaf over that above.", 1.0, {.above = 0.0});
  tree.core_oversubscription = section.optional_number(
      "core_oversubscription", "Bandwidth below a spine over that above.", 1.0, {.above = 0.0});
  tree.switch_latency = section.seconds("switch_latency", "Of a link between switches.");
  tree.choice = read_choice(section);
  report_problems(tree, section);
  section.finish();
  return tree;
}

NetworkSpec read_fully_connected(Section section) {
  FullyConnectedSpec network;
  network.num_ranks = section.count("ranks", "Devices, each linked to each.", kRankCount);
  network.link = read_link(section.subsection("link", "Of each pair."));
  report_problems(network, section);
  section.finish();
  return network;
}

GraphSpec::Node read_graph_node(Section section) {
  GraphSpec::Node node;
  node.name = section.text("name", "Name; one of its kind.");
  node.kind =
      section.optional_choice<NodeKind>("kind", "A rank, or a switch.", NodeKind::kRank,
                                        {{"rank", NodeKind::kRank}, {"switch", NodeKind::kRouter}});
  node.domain = section.optional_count("domain", "Number of the node, pod or NVLink domain.", 0,
                                       {0, kMaxRanks});
  section.finish();
  return node;
}

GraphSpec::Link read_graph_link(Section section) {
  GraphSpec::Link link;
  link.from = section.text("from", "Name of a node.");
  link.to = section.text("to", "Name of another node.");
  link.link.bandwidth = section.bandwidth("bandwidth", "Per direction; shared if half duplex.");
  link.link.latency = section.seconds("latency", "One way.");
  link.duplex = section.optional_choice<Duplex>(
      "duplex", "Both directions, one bandwidth for both, or from-to only.", Duplex::kFull,
      {{"full", Duplex::kFull}, {"half", Duplex::kHalf}, {"one-way", Duplex::kOneWay}});
  section.finish();
  return link;
}

NetworkSpec read_graph(Section section) {
  GraphSpec graph;
  graph.nodes = section.sections("nodes", "Ranks in the order of their numbers, and switches.",
                                 read_graph_node, {.min = 1});
  graph.links = section.optional_sections("links", "Links between nodes.", read_graph_link);
  graph.choice = read_choice(section);
  report_problems(graph, section);
  section.finish();
  return graph;
}

NetworkSpec read_one_network(Section& section, bool may_nest);

NetworkSpec read_hierarchy(Section section) {
  const auto read_part = [&section](std::string_view key, std::string_view description) {
    Section part = section.subsection(key, description);
    NetworkSpec network = read_one_network(part, false);
    part.finish();
    return std::make_shared<const NetworkSpec>(std::move(network));
  };
  HierarchySpec hierarchy;
  hierarchy.inside = read_part("inside", "The network at each rank of the outside.");
  hierarchy.outside = read_part("outside", "The network between the copies of the inside.");
  hierarchy.port = read_link(section.subsection("port", "Each rank to the gateway of its copy."));
  report_problems(hierarchy, section);
  section.finish();
  return hierarchy;
}

NetworkSpec read_one_network(Section& section, bool may_nest) {
  struct Kind {
    std::string_view key;
    std::string_view description;
    NetworkSpec (*read)(Section);
  };
  std::vector<Kind> kinds{
      {"torus", "A torus or mesh of chips in two or three dimensions.", read_torus},
      {"scale_up", "GPUs behind NVLink switches: a node or a rack.",
       [](Section own) {
         NetworkSpec node = read_node(std::move(own));
         return node;
       }},
      {"cluster", "Nodes of GPUs with NICs to leaf and spine switches.", read_cluster},
      {"fat_tree", "A folded Clos network of two or three tiers.", read_fat_tree},
      {"fully_connected", "A link between every two ranks.", read_fully_connected},
      {"graph", "Nodes and links, one by one.", read_graph}};
  if (may_nest)
    kinds.push_back({"hierarchy", "A network at each rank of another.", read_hierarchy});
  std::optional<NetworkSpec> network;
  std::vector<std::string_view> given;
  std::vector<std::string_view> keys;
  for (const auto& [key, description, read] : kinds) {
    keys.push_back(key);
    auto own = section.optional_subsection(key, description);
    if (!own) continue;
    given.push_back(key);
    NetworkSpec spec = read(std::move(*own));
    if (!network) network = std::move(spec);
  }
  if (given.empty())
    section.problem(fmt::format("missing a network; expected one of {}", fmt::join(keys, ", ")));
  if (given.size() > 1 && section.has(given[1]))
    section.problem(given[1],
                    fmt::format("expected one network, got {}", fmt::join(given, " and ")));
  return network.value_or(NetworkSpec{TorusSpec{.dimensions = {TorusDimension{}}}});
}

}  // namespace

NetworkSpec read_network(Section& section) {
  return read_faults(section, read_one_network(section, true));
}

}  // namespace switchyard
