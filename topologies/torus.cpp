#include "topologies/torus.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr std::size_t kMaxDimensions = 3;
constexpr std::string_view kAxes = "xyz";
constexpr LinkId kNoLink{-1};

using Coordinates = std::array<int, kMaxDimensions>;

/// The dimension-order paths of a torus. Immutable once built.
class TorusPaths {
 public:
  explicit TorusPaths(const TorusSpec& spec) : num_dimensions_{spec.dimensions.size()} {
    for (std::size_t d = 0; d < num_dimensions_; ++d) {
      lengths_[d] = spec.dimensions[d].length;
      wraps_[d] = spec.dimensions[d].wrap;
    }
    cores_ = spec.ranks_per_router;
    split_ties_ = spec.tie == TieBreak::kSplit;
    cables_.assign(static_cast<std::size_t>(num_routers(spec)) * 2 * num_dimensions_, kNoLink);
  }

  [[nodiscard]] Coordinates at(int router) const {
    Coordinates place{};
    for (std::size_t d = 0; d < num_dimensions_; ++d) {
      place[d] = router % lengths_[d];
      router /= lengths_[d];
    }
    return place;
  }

  [[nodiscard]] int router_at(const Coordinates& place) const {
    int router = 0;
    for (std::size_t d = num_dimensions_; d-- > 0;) router = router * lengths_[d] + place[d];
    return router;
  }

  [[nodiscard]] int step(int coordinate, std::size_t dimension, bool forwards) const {
    const int length = lengths_[dimension];
    if (forwards) return coordinate + 1 == length ? 0 : coordinate + 1;
    return coordinate == 0 ? length - 1 : coordinate - 1;
  }

  /// The cable that leaves `router` along `dimension`, or kNoLink.
  LinkId& cable(int router, std::size_t dimension, bool forwards) {
    return cables_[index(router, dimension, forwards)];
  }
  [[nodiscard]] LinkId cable(int router, std::size_t dimension, bool forwards) const {
    return cables_[index(router, dimension, forwards)];
  }
  [[nodiscard]] LinkId up(RankId rank) const { return up_[rank.index()]; }
  [[nodiscard]] LinkId down(RankId rank) const { return down_[rank.index()]; }

  /// The ports of the next rank, in the order of ranks.
  void add_ports(LinkId up, LinkId down) {
    up_.push_back(up);
    down_.push_back(down);
  }

  void append(RankId source, RankId destination, std::vector<LinkId>& links) const {
    Coordinates place = at(source.value() / cores_);
    const Coordinates target = at(destination.value() / cores_);
    links.push_back(up_[source.index()]);
    int parity = source.value() % cores_ + destination.value() % cores_;
    for (std::size_t e = 0; e < num_dimensions_; ++e) parity += target[e];
    int stride = 1;
    int router = source.value() / cores_;
    for (std::size_t d = 0; d < num_dimensions_; ++d) {
      parity += place[d] - target[d];  // now the sum that TieBreak names
      const int steps = signed_steps(place[d], target[d], d, !split_ties_ || parity % 2 == 0);
      const bool forwards = steps > 0;
      for (int k = std::abs(steps); k > 0; --k) {
        links.push_back(cables_[index(router, d, forwards)]);
        const int next = step(place[d], d, forwards);
        router += (next - place[d]) * stride;
        place[d] = next;
      }
      stride *= lengths_[d];
    }
    links.push_back(down_[destination.index()]);
  }

 private:
  [[nodiscard]] std::size_t index(int router, std::size_t dimension, bool forwards) const {
    return (static_cast<std::size_t>(router) * num_dimensions_ + dimension) * 2 +
           (forwards ? 0 : 1);
  }

  /// Steps from `from` to `to`, the shorter way: positive is forwards.
  [[nodiscard]] int signed_steps(int from, int to, std::size_t dimension,
                                 bool forwards_on_tie) const {
    if (!wraps_[dimension]) return to - from;
    const int length = lengths_[dimension];
    const int forwards = (to - from + length) % length;
    if (length == 2) return forwards;  // one link of twice the bandwidth stands for both ways
    const bool go_forwards = 2 * forwards < length || (2 * forwards == length && forwards_on_tie);
    return go_forwards ? forwards : forwards - length;
  }

  std::size_t num_dimensions_;
  Coordinates lengths_{};
  std::array<bool, kMaxDimensions> wraps_{};
  int cores_ = 1;
  bool split_ties_ = true;
  std::vector<LinkId> cables_;  ///< by index(); where the cable exists
  std::vector<LinkId> up_;      ///< rank -> router
  std::vector<LinkId> down_;    ///< router -> rank
};

/// Routers are the first vertices, in order.
NodeId node(int router) { return static_cast<NodeId>(router); }

std::string router_name(const Coordinates& place, std::size_t num_dimensions) {
  std::string name = "router(";
  for (std::size_t d = 0; d < num_dimensions; ++d)
    name += fmt::format("{}{}", d == 0 ? "" : ",", place[d]);
  return name + ")";
}

void add_cables(const TorusSpec& spec, int router, TorusPaths& paths, Topology& topology) {
  const Coordinates place = paths.at(router);
  const std::string name = router_name(place, spec.dimensions.size());
  for (std::size_t d = 0; d < spec.dimensions.size(); ++d) {
    const TorusDimension& dimension = spec.dimensions[d];
    if (dimension.length == 1) continue;
    const bool double_cable = dimension.wrap && dimension.length == 2;
    const LinkSpec link{.bandwidth = (double_cable ? 2.0 : 1.0) * dimension.link.bandwidth,
                        .latency = dimension.link.latency};
    for (const bool forwards : {true, false}) {
      const bool at_edge = place[d] == (forwards ? dimension.length - 1 : 0);
      if (at_edge && !dimension.wrap) continue;
      if (double_cable && !forwards) continue;
      Coordinates neighbour = place;
      neighbour[d] = paths.step(place[d], d, forwards);
      paths.cable(router, d, forwards) =
          add_link(topology, node(router), node(paths.router_at(neighbour)),
                   fmt::format("{}{}{}", name, forwards ? '+' : '-', kAxes[d]), link);
    }
  }
}

/// Translations that keep every path: by any number of steps where no tie is split, else by even
/// ones, because ties look at parities; none along a dimension that does not close.
std::optional<PathSymmetry> translations(const TorusSpec& spec, const TorusPaths& paths,
                                         const Topology& topology) {
  bool has_split_ties = false;
  for (const TorusDimension& dimension : spec.dimensions)
    has_split_ties |= spec.tie == TieBreak::kSplit && dimension.wrap && dimension.length > 2 &&
                      dimension.length % 2 == 0;
  Coordinates steps{1, 1, 1};
  PathSymmetry symmetry;
  for (std::size_t d = 0; d < spec.dimensions.size(); ++d) {
    const auto& [length, wrap, link] = spec.dimensions[d];
    steps[d] = !wrap ? length : !has_split_ties ? 1 : length % 2 == 0 ? 2 : length;
    symmetry.orbit_size *= length / steps[d];
  }
  if (symmetry.orbit_size == 1) return std::nullopt;

  const auto representative = [&](int router) {
    Coordinates place = paths.at(router);
    for (std::size_t d = 0; d < spec.dimensions.size(); ++d) place[d] %= steps[d];
    return paths.router_at(place);
  };
  const int cores = spec.ranks_per_router;
  std::vector<LinkId> representative_link(topology.links.size());
  for (int router = 0; router < num_routers(spec); ++router) {
    const int image = representative(router);
    for (std::size_t d = 0; d < spec.dimensions.size(); ++d)
      for (const bool forwards : {true, false})
        if (const LinkId link = paths.cable(router, d, forwards); link != kNoLink)
          representative_link[link.index()] = paths.cable(image, d, forwards);
    for (int core = 0; core < cores; ++core) {
      const RankId rank{router * cores + core};
      const RankId image_rank{image * cores + core};
      representative_link[paths.up(rank).index()] = paths.up(image_rank);
      representative_link[paths.down(rank).index()] = paths.down(image_rank);
      if (image == router) symmetry.representatives.push_back(rank);
    }
  }
  // A representative comes before the rest of its orbit, so its number is known when they ask.
  int num_orbits = 0;
  for (const NetworkLink& link : topology.links) {
    const LinkId image = representative_link[link.id.index()];
    symmetry.link_orbit.push_back(image == link.id ? num_orbits++
                                                   : symmetry.link_orbit[image.index()]);
  }
  return symmetry;
}

}  // namespace

SpecProblems problems(const TorusSpec& spec) {
  SpecProblems found;
  if (spec.dimensions.empty() || spec.dimensions.size() > kMaxDimensions)
    found.push_back({"", fmt::format("must have 1 to {} dimensions, got {}", kMaxDimensions,
                                     spec.dimensions.size())});
  for (std::size_t d = 0; d < std::min(spec.dimensions.size(), kMaxDimensions); ++d) {
    const TorusDimension& dimension = spec.dimensions[d];
    if (dimension.length < 1)
      found.push_back({std::string{kAxes[d]},
                       fmt::format("must have a length of at least 1, got {}", dimension.length)});
    else if (dimension.length > 1)
      check_link(found, fmt::format("{}.link", kAxes[d]), dimension.link);
  }
  if (spec.ranks_per_router < 1)
    found.push_back(
        {"ranks_per_router", fmt::format("must be at least 1, got {}", spec.ranks_per_router)});
  check_link(found, "on_chip", spec.on_chip);
  return found;
}

int num_routers(const TorusSpec& spec) {
  int routers = 1;
  for (const TorusDimension& dimension : spec.dimensions) routers *= dimension.length;
  return routers;
}

int num_ranks(const TorusSpec& spec) { return num_routers(spec) * spec.ranks_per_router; }

Topology build_torus(const TorusSpec& spec) {
  throw_if_any("torus", problems(spec));
  Topology topology;
  TorusShape shape{.lengths = {}, .wraps = {}, .ranks_per_router = spec.ranks_per_router};
  for (const TorusDimension& dimension : spec.dimensions) {
    topology.name += fmt::format("{}{}", topology.name.empty() ? "" : "x", dimension.length);
    shape.lengths.push_back(dimension.length);
    shape.wraps.push_back(dimension.wrap);
  }
  topology.name = fmt::format("torus {} of {}", topology.name, spec.ranks_per_router);
  topology.torus = std::move(shape);

  auto paths = std::make_shared<TorusPaths>(spec);
  for (int router = 0; router < num_routers(spec); ++router)
    add_node(topology, NodeKind::kRouter, router_name(paths->at(router), spec.dimensions.size()));
  for (int router = 0; router < num_routers(spec); ++router)
    add_cables(spec, router, *paths, topology);
  for (int rank = 0; rank < num_ranks(spec); ++rank) {
    const NodeId vertex = add_node(topology, NodeKind::kRank, fmt::format("rank{}", rank));
    const NodeId router = node(rank / spec.ranks_per_router);
    topology.ranks.push_back(vertex);
    const auto port = [&](NodeId from, NodeId to, std::string_view direction) {
      return add_link(topology, from, to, fmt::format("rank{}:{}", rank, direction), spec.on_chip,
                      LinkPlace::kOnChip);
    };
    const LinkId up = port(vertex, router, "up");
    paths->add_ports(up, port(router, vertex, "down"));
  }
  topology.scale_up_domain.assign(topology.ranks.size(), 0);
  topology.symmetry = translations(spec, *paths, topology);
  topology.path_selection = [paths = std::shared_ptr<const TorusPaths>{std::move(paths)}](
                                RankId source, RankId destination, std::vector<LinkId>& links) {
    paths->append(source, destination, links);
  };
  return topology;
}

}  // namespace switchyard
