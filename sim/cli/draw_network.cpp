#include "sim/cli/draw_network.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr int kMostBoxes = 8;
constexpr std::size_t kWidth = 100;

/// "[leaf0] [leaf1] ... [leaf7]", the middle left out when there are many.
std::string boxes(std::string_view prefix, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (count > kMostBoxes && i == kMostBoxes - 2) {
      text += "... ";
      i = count - 1;
    }
    text += fmt::format("[{}{}] ", prefix, i);
  }
  text.pop_back();
  return text;
}

std::string times(int count, std::string_view what) {
  return count == 1 ? "" : fmt::format("   x {} {}", count, what);
}

std::string mesh_row(const TorusSpec& spec, int row, int width, bool is_cut) {
  const auto& x = spec.dimensions[0];
  const std::string_view wrap = x.wrap && x.length > 1 ? "~" : " ";
  std::string text = fmt::format("  {}", wrap);
  for (int column = 0; column < width; ++column) {
    const int at = is_cut && column == width - 1 ? x.length - 1 : column;
    if (column > 0) text += is_cut && column == width - 1 ? " .. " : "--";
    text += fmt::format("({:>4})", row * x.length + at);
  }
  return fmt::format("{}{}\n", text, wrap);
}

std::string draw(const TorusSpec& spec) {
  constexpr int kMostColumns = 11;
  constexpr int kMostRows = 8;
  const auto length = [&](std::size_t d) {
    return d < spec.dimensions.size() ? spec.dimensions[d].length : 1;
  };
  const int width = std::min(length(0), kMostColumns);
  const int height = std::min(length(1), kMostRows);
  const bool cuts_columns = length(0) > width;
  const bool wraps_y = length(1) > 1 && spec.dimensions[1].wrap;
  std::string rungs = "   ";
  std::string waves = "   ";
  for (int column = 0; column < width; ++column) {
    const std::string_view gap = column == 0                           ? ""
                                 : cuts_columns && column == width - 1 ? "    "
                                                                       : "  ";
    rungs += fmt::format("{}   |  ", gap);
    waves += fmt::format("{}   ~  ", gap);
  }
  const auto trimmed = [](std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  };
  std::string text;
  if (wraps_y) text += trimmed(waves);
  for (int row = 0; row < height; ++row) {
    const bool is_last = row == height - 1;
    const bool cuts_here = is_last && length(1) > height;
    if (row > 0) text += cuts_here ? "       :\n" : trimmed(rungs);
    text += mesh_row(spec, cuts_here ? length(1) - 1 : row, width, cuts_columns);
  }
  if (wraps_y) text += trimmed(waves);
  if (length(2) > 1)
    text += fmt::format("  x {} such planes, each chip linked to the same one of the next{}\n",
                        length(2), spec.dimensions[2].wrap ? "; the last to the first" : "");
  text += fmt::format("  ({}) a chip with its number, {} rank{} each", "n", spec.ranks_per_router,
                      spec.ranks_per_router == 1 ? "" : "s");
  const bool wraps = std::ranges::any_of(
      spec.dimensions, [](const TorusDimension& d) { return d.wrap && d.length > 1; });
  return text + (wraps ? "; ~ goes on at the other side\n" : "\n");
}

std::string draw(const ScaleUpSpec& spec) {
  const std::string ranks = boxes("rank", spec.num_ranks);
  const std::string bar(std::max<std::size_t>(ranks.size(), 12) - 2, '=');
  std::string drops(ranks.size(), ' ');
  for (std::size_t i = 0; i + 3 < ranks.size(); ++i)
    if (ranks[i] == '[') drops[i + 3] = '|';
  drops.erase(drops.find_last_not_of(' ') + 1);
  return fmt::format("  <{}> switch\n  {}\n  {}\n", bar, drops, ranks);
}

std::string draw(const ClusterSpec& spec) {
  const bool is_rail_optimised = spec.rails == Rails::kOptimised;
  const int leaves = spec.fabric.leaves;
  std::string text;
  if (spec.fabric.spines > 0)
    text += fmt::format(
        "  {}\n     |   each spine to each of the {} leaves, {:g}:1 oversubscribed\n",
        boxes("spine", spec.fabric.spines), num_leaves(spec), spec.fabric.oversubscription);
  text +=
      is_rail_optimised
          ? fmt::format("  {}{}\n     |   NIC n of a node to a leaf of rail n\n",
                        boxes("rail", spec.nics_per_node), times(leaves, "leaves each"))
          : fmt::format("  {}\n     |   all NICs of a node to one leaf\n", boxes("leaf", leaves));
  const std::string nics = boxes("nic", spec.nics_per_node);
  const std::string ranks = boxes("rank", spec.node.num_ranks);
  const std::size_t inside = std::max({nics.size(), ranks.size(), std::size_t{20}});
  const std::string rule(inside + 2, '-');
  const auto row = [&](const std::string& content) {
    return fmt::format("  | {:<{}} |\n", content, inside);
  };
  text += fmt::format("  +{}+\n", rule) + row(nics) +
          row(fmt::format("  |   {} GPU{} to a NIC", spec.node.num_ranks / spec.nics_per_node,
                          spec.node.num_ranks == spec.nics_per_node ? "" : "s")) +
          row(ranks) + row("  |") + row("<" + std::string(inside - 9, '=') + "> switch") +
          fmt::format("  +{}+{}\n", rule, times(spec.nodes, "nodes"));
  if (is_rail_optimised && spec.nvlink_forwarding)
    text += "  to another rail: over the switch to the GPU on that rail, then by its NIC\n";
  return text;
}

std::string draw(const FatTreeSpec& spec) {
  std::string text;
  if (spec.pods > 1)
    text += fmt::format("  {}\n     |   core c to spine c mod {} of every pod, {:g}:1\n",
                        boxes("core", spec.spines * spec.cores_per_spine), spec.spines,
                        spec.core_oversubscription);
  const std::string pods = times(spec.pods, "pods");
  text += fmt::format("  {}{}\n     |   each spine to each leaf{}, {:g}:1\n",
                      boxes("spine", spec.spines), pods, spec.pods > 1 ? " of its pod" : "",
                      spec.oversubscription);
  text += fmt::format("  {}{}\n     |\n", boxes("leaf", spec.leaves), pods);
  return text + fmt::format("  {}{}\n", boxes("rank", spec.hosts_per_leaf),
                            times(spec.pods * spec.leaves, "leaves"));
}

std::string draw(const FullyConnectedSpec& spec) {
  constexpr int kMost = 16;
  const int shown = std::min(spec.num_ranks, kMost);
  std::string text;
  for (int row = 0; row < shown; ++row) {
    text += fmt::format("  {:>4} ", row);
    for (int column = 0; column < row; ++column) text += "--*";
    text += "--o\n";
  }
  if (spec.num_ranks > kMost) text += fmt::format("     : {} ranks\n", spec.num_ranks);
  return text + "  o a rank, * a link of its row's rank to its column's: each to each\n";
}

std::string indented(const std::string& text) {
  std::string result;
  bool at_begin = true;
  for (const char c : text) {
    if (at_begin && c != '\n') result += "  ";
    result += c;
    at_begin = c == '\n';
  }
  return result;
}

std::string draw(const HierarchySpec& spec) {
  return fmt::format("  outside\n{}  each rank of it a gateway to the {} ports of\n{}",
                     indented(draw_network(*spec.outside)), num_ranks(*spec.inside),
                     indented(draw_network(*spec.inside)));
}

std::string draw(const GraphSpec& spec) {
  constexpr std::size_t kMostLines = 40;
  std::map<std::string, std::set<std::string>> neighbours;
  for (const GraphSpec::Link& link : spec.links) {
    neighbours[link.from].insert((link.duplex == Duplex::kOneWay ? "> " : "- ") + link.to);
    if (link.duplex != Duplex::kOneWay) neighbours[link.to].insert("- " + link.from);
  }
  std::string text;
  for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
    if (i == kMostLines) return text + fmt::format("  ... {} nodes\n", spec.nodes.size());
    const GraphSpec::Node& node = spec.nodes[i];
    const bool is_rank = node.kind == NodeKind::kRank;
    std::string line =
        fmt::format("  {}{}{} ", is_rank ? "[" : "<", node.name, is_rank ? "]" : ">");
    for (const std::string& neighbour : neighbours[node.name]) line += neighbour + " ";
    line.pop_back();
    if (line.size() > kWidth) line = line.substr(0, kWidth - 4) + " ...";
    text += line + "\n";
  }
  return text + "  [rank] <switch>, each with its neighbours\n";
}

std::string draw(const DegradedSpec& spec) {
  std::string text = draw_network(*spec.network);
  for (const LinkFault& fault : spec.links)
    text += fmt::format("  ! {} {}\n", fault.link,
                        fault.bandwidth_factor
                            ? fmt::format("at {:g} of its bandwidth", *fault.bandwidth_factor)
                            : "failed");
  for (const std::string& name : spec.failed_switches)
    text += fmt::format("  ! {} failed with all its links\n", name);
  return text;
}

}  // namespace

std::string draw_network(const NetworkSpec& spec) {
  return std::visit([](const auto& network) { return draw(network); }, spec);
}

}  // namespace switchyard
