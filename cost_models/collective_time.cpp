#include "cost_models/collective_time.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "cost_models/all_to_all.hpp"
#include "cost_models/collectives.hpp"
#include "cost_models/double_binary_tree.hpp"
#include "cost_models/group_nodes.hpp"
#include "cost_models/torus_rings.hpp"

namespace switchyard {
namespace {

using enum CollectiveAlgorithm;

/// alpha and B of a set of paths.
struct Port {
  Seconds alpha;
  BytesPerSecond rate{std::numeric_limits<double>::infinity()};

  [[nodiscard]] Seconds time(Bytes bytes) const { return alpha + bytes / rate; }
};

void widen(Port& port, const Topology& topology, RankId from, RankId to) {
  if (from == to) return;
  port.alpha = std::max(port.alpha, path_latency(topology, from, to));
  for (const LinkId link : path(topology, from, to))
    port.rate = std::min(port.rate, topology.links[link.index()].bandwidth);
}

/// Between neighbours in the order of `ranks`, the last and the first too.
Port port_of(const RankGroup& ranks, const Topology& topology) {
  Port port;
  for (std::size_t k = 0; k < ranks.size(); ++k)
    widen(port, topology, ranks[k], ranks[(k + 1) % ranks.size()]);
  return port;
}

double ceil_log2(std::size_t n) { return static_cast<double>(std::bit_width(n - 1)); }

/// Blocks that a rank sends in all rounds of Bruck's all-to-all: bits set in 1 .. n - 1.
double bruck_blocks(std::size_t n) {
  double blocks = 0;
  for (std::size_t distance = 1; distance < n; ++distance) blocks += std::popcount(distance);
  return blocks;
}

/// What a group is to its formula.
struct Star {
  double n;
  Bytes size;
  Port port;
};

std::optional<Seconds> all_to_all_time(CollectiveAlgorithm algorithm, const Star& star) {
  const auto& [n, size, port] = star;
  const Bytes block = size / n;
  switch (algorithm) {
    case kDirect:
      return port.time((n - 1) * block);
    case kPairwise:
      return (n - 1) * port.time(block);
    case kBruck:
      return ceil_log2(static_cast<std::size_t>(n)) * port.alpha +
             bruck_blocks(static_cast<std::size_t>(n)) * block / port.rate;
    case kRing:
      return (n - 1) * port.alpha + n * (n - 1) / 2 * block / port.rate;
    default:
      return std::nullopt;
  }
}

std::optional<Seconds> uneven_time(CollectiveAlgorithm algorithm, const Eigen::MatrixXd& traffic,
                                   const Port& port) {
  Eigen::MatrixXd bytes = traffic;
  bytes.diagonal().setZero();
  if (bytes.maxCoeff() == 0.0) return Seconds{0};
  if (algorithm == kDirect)
    return port.time(
        Bytes{std::max(bytes.rowwise().sum().maxCoeff(), bytes.colwise().sum().maxCoeff())});
  if (algorithm != kPairwise) return std::nullopt;
  Seconds total;
  for (Eigen::Index distance = 1; distance < bytes.rows(); ++distance) {
    double most = 0;
    for (Eigen::Index k = 0; k < bytes.rows(); ++k)
      most = std::max(most, bytes(k, (k + distance) % bytes.rows()));
    if (most > 0) total += port.time(Bytes{most});
  }
  return total;
}

/// One pass: an all-gather or reduce-scatter.
std::optional<Seconds> gather_time(CollectiveAlgorithm algorithm, const Star& star) {
  const auto& [n, size, port] = star;
  const Seconds transfer = (n - 1) / n * size / port.rate;
  switch (algorithm) {
    case kRing:
      return (n - 1) * port.alpha + transfer;
    case kDirect:
      return port.alpha + transfer;
    case kBruck:
    case kRecursive:
      return ceil_log2(static_cast<std::size_t>(n)) * port.alpha + transfer;
    default:
      return std::nullopt;
  }
}

std::optional<Seconds> all_reduce_time(CollectiveAlgorithm algorithm,
                                       const CollectiveRequest& request, const RankGroup& group,
                                       const Topology& topology, const Star& star) {
  switch (algorithm) {
    case kRing:
      return 2 * *gather_time(kRing, star);
    case kRecursive: {
      const std::size_t core = std::bit_floor(group.size());
      const Seconds fold = core < group.size() ? 2 * star.port.time(star.size) : Seconds{0};
      Star power_of_two = star;
      power_of_two.n = static_cast<double>(core);
      return fold + 2 * *gather_time(kRecursive, power_of_two);
    }
    case kDoubleBinaryTree: {
      const TreePipeline tree = tree_pipeline(group, topology, request.size, request.chunk);
      return (tree.num_chunks + 2.0 * tree.depth - 1) *
             star.port.time(tree.edges / 2.0 * star.size / tree.num_chunks);
    }
    case kInSwitch:
      return star.port.alpha + star.port.time(star.size);
    default:
      return std::nullopt;
  }
}

/// Rings and two levels over nodes with as many ranks each; one pass.
std::optional<Seconds> node_pass_time(CollectiveAlgorithm algorithm, const GroupNodes& nodes,
                                      const Topology& topology, Bytes size) {
  const auto members = static_cast<double>(fewest_members(nodes));
  for (const RankGroup& node : nodes.members)
    if (static_cast<double>(node.size()) != members) return std::nullopt;
  const auto num_nodes = static_cast<double>(nodes.members.size());
  const double n = members * num_nodes;
  Port up;
  Port out;
  for (const RankGroup& node : nodes.members)
    for (std::size_t k = 0; k < node.size(); ++k)
      widen(up, topology, node[k], node[(k + 1) % node.size()]);
  for (std::size_t k = 0; k < nodes.members.size(); ++k)
    for (std::size_t place = 0; place < nodes.members[k].size(); ++place)
      widen(out, topology, nodes.members[k][place],
            nodes.members[(k + 1) % nodes.members.size()][place]);
  if (algorithm == kRing)
    return (n - 1) *
           (std::max(up.alpha, out.alpha) + std::max((members - 1) / members * size / n / up.rate,
                                                     size / (n * members) / out.rate));
  if (algorithm == kTwoLevel)
    return (num_nodes - 1) * out.time(size / n) + (members - 1) * up.time(size / members);
  return std::nullopt;
}

/// One pass over a box of a torus.
std::optional<Seconds> box_pass_time(const RankGroup& group, const Topology& topology, Bytes size) {
  const auto box = torus_box(group, topology);
  if (!box) return std::nullopt;
  Seconds total;
  if (box->cores > 1) {
    const double cores = box->cores;
    Port chip;
    widen(chip, topology, box->ranks[0], box->ranks[1]);
    total += chip.time((cores - 1) / cores * size);
  }
  if (!box->axes.empty()) total += torus_plan(box->axes, size).time;
  return total;
}

/// The formula for one group, where there is one.
std::optional<Seconds> formula(CollectiveAlgorithm algorithm, const CollectiveRequest& request,
                               const std::vector<RankGroup>& groups, std::size_t g,
                               const Topology& topology) {
  const RankGroup& group = groups[g];
  if (group.size() < 2) return Seconds{0};
  const bool is_all_to_all = request.kind == CollectiveKind::kAllToAll;
  const double passes = request.kind == CollectiveKind::kAllReduce ? 2 : 1;
  if (request.kind == CollectiveKind::kPointToPoint) {
    if (groups.size() > 1 && topology.torus) return std::nullopt;
    return port_of({group.front(), group.back()}, topology).time(request.size);
  }
  if (topology.torus) {
    if (algorithm != kTorus || is_all_to_all || groups.size() > 1) return std::nullopt;
    const auto pass = box_pass_time(group, topology, request.size);
    return pass ? std::optional{passes * *pass} : std::nullopt;
  }
  const GroupNodes nodes = group_nodes(group, topology);
  if (nodes.members.size() > 1 || algorithm == kTwoLevel) {
    if (is_all_to_all) return std::nullopt;
    const auto pass = node_pass_time(algorithm, nodes, topology, request.size);
    return pass ? std::optional{passes * *pass} : std::nullopt;
  }
  const Star star{.n = static_cast<double>(group.size()),
                  .size = request.size,
                  .port = port_of(group, topology)};
  if (request.kind == CollectiveKind::kAllReduce)
    return all_reduce_time(algorithm, request, group, topology, star);
  if (!is_all_to_all) return gather_time(algorithm, star);
  if (!request.traffic.empty()) return uneven_time(algorithm, request.traffic[g], star.port);
  return all_to_all_time(algorithm, star);
}

}  // namespace

Seconds closed_form_time(const CollectiveRequest& request, const Topology& topology,
                         const AlgorithmThresholds& thresholds) {
  const std::vector<RankGroup> groups = resolved_groups(request, topology);
  const CollectiveAlgorithm algorithm = chosen_algorithm(request, topology, thresholds);
  if (request.size == Bytes{0} && request.traffic.empty()) return Seconds{0};
  Seconds slowest;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto time = formula(algorithm, request, groups, g, topology);
    if (!time) return schedule_time(build_collective(request, topology, thresholds), topology);
    slowest = std::max(slowest, *time);
  }
  return slowest;
}

}  // namespace switchyard
