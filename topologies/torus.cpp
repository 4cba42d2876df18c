#include "topologies/torus.hpp"

#include <array>
#include <cmath>
#include <string_view>

#include "sim/core/error.hpp"
#include "sim/core/units_format.hpp"

namespace switchyard {
namespace {

void validate(const TorusSpec& spec) {
  std::string problems;
  const auto report = [&problems](const std::string& problem) { problems += "\n  " + problem; };
  const auto at_least_one = [&](int count, std::string_view key) {
    if (count < 1) report(fmt::format("{}: must be at least 1, got {}", key, count));
  };
  const auto usable = [&](const LinkSpec& link, std::string_view key) {
    const double rate = link.bandwidth.base();
    if (!(rate > 0.0) || !std::isfinite(rate))
      report(fmt::format("{}.bandwidth: must be positive and finite, got {}", key, link.bandwidth));
    if (!(link.latency >= Seconds{0}) || !std::isfinite(link.latency.base()))
      report(fmt::format("{}.latency: must be finite and not negative, got {}", key, link.latency));
  };
  at_least_one(spec.width, "width");
  at_least_one(spec.height, "height");
  at_least_one(spec.ranks_per_router, "ranks_per_router");
  if (spec.width > 1 || spec.height > 1) usable(spec.link, "link");
  usable(spec.on_chip, "on_chip");
  if (!problems.empty()) throw ConfigError("torus:" + problems);
}

struct Coordinates {
  int x = 0;
  int y = 0;
};

enum Direction { kPlusX, kMinusX, kPlusY, kMinusY };
constexpr std::array<std::string_view, 4> kDirectionNames{"+x", "-x", "+y", "-y"};

/// Steps from `from` to `to`, the shorter way: positive is forwards.
int signed_steps(int from, int to, int length, bool wrap, bool forwards_on_tie) {
  if (!wrap) return to - from;
  const int forwards = (to - from + length) % length;
  if (length == 2) return forwards;  // one link of twice the bandwidth stands for both ways
  const bool go_forwards = 2 * forwards < length || (2 * forwards == length && forwards_on_tie);
  return go_forwards ? forwards : forwards - length;
}

class TorusBuilder {
 public:
  explicit TorusBuilder(const TorusSpec& spec) : spec_{spec} {
    topology_.name = fmt::format("torus {}x{}x{}", spec.width, spec.height, spec.ranks_per_router);
  }

  Topology build() && {
    add_routers();
    for (int router = 0; router < num_routers(spec_); ++router) add_cables(router);
    add_ranks();
    add_paths();
    return std::move(topology_);
  }

 private:
  [[nodiscard]] Coordinates at(int router) const {
    return {router % spec_.width, router / spec_.width};
  }
  [[nodiscard]] int router_at(Coordinates c) const {
    return (c.y + spec_.height) % spec_.height * spec_.width + (c.x + spec_.width) % spec_.width;
  }
  /// The router one step away, on the torus.
  [[nodiscard]] int neighbour(int router, Direction direction) const {
    constexpr std::array<Coordinates, 4> kStep{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
    const Coordinates from = at(router);
    return router_at({from.x + kStep[direction].x, from.y + kStep[direction].y});
  }

  void add_routers() {
    for (int router = 0; router < num_routers(spec_); ++router) {
      const auto [x, y] = at(router);
      add_node(topology_, NodeKind::kRouter, fmt::format("router({},{})", x, y));
    }
    cables_.resize(static_cast<std::size_t>(num_routers(spec_)));
  }

  void add_cables(int router) {
    const Coordinates place = at(router);
    const auto add = [&](Direction direction, int position, int length) {
      const bool forwards = direction == kPlusX || direction == kPlusY;
      const bool at_edge = position == (forwards ? length - 1 : 0);
      if (length == 1 || (at_edge && !spec_.wrap)) return;
      const bool double_cable = length == 2 && spec_.wrap;
      if (double_cable && !forwards) return;
      const LinkSpec link{.bandwidth = (double_cable ? 2.0 : 1.0) * spec_.link.bandwidth,
                          .latency = spec_.link.latency};
      cables_[static_cast<std::size_t>(router)][direction] = add_link(
          topology_, node(router), node(neighbour(router, direction)),
          fmt::format("router({},{}){}", place.x, place.y, kDirectionNames[direction]), link);
    };
    add(kPlusX, place.x, spec_.width);
    add(kMinusX, place.x, spec_.width);
    add(kPlusY, place.y, spec_.height);
    add(kMinusY, place.y, spec_.height);
  }

  void add_ranks() {
    for (int rank = 0; rank < num_ranks(spec_); ++rank) {
      const NodeId vertex = add_node(topology_, NodeKind::kRank, fmt::format("rank{}", rank));
      const NodeId router = node(rank / spec_.ranks_per_router);
      topology_.ranks.push_back(vertex);
      up_.push_back(
          add_link(topology_, vertex, router, fmt::format("rank{}:up", rank), spec_.on_chip));
      down_.push_back(
          add_link(topology_, router, vertex, fmt::format("rank{}:down", rank), spec_.on_chip));
    }
  }

  void add_paths() {
    const int ranks = num_ranks(spec_);
    topology_.paths.reserve(static_cast<std::size_t>(ranks) * static_cast<std::size_t>(ranks));
    for (int source = 0; source < ranks; ++source)
      for (int destination = 0; destination < ranks; ++destination)
        topology_.paths.push_back(path_between(source, destination));
  }

  [[nodiscard]] std::vector<LinkId> path_between(int source, int destination) const {
    if (source == destination) return {};
    const int cores = spec_.ranks_per_router;
    const Coordinates from = at(source / cores);
    const Coordinates to = at(destination / cores);
    const int core_sum = source % cores + destination % cores;
    const bool fixed = spec_.tie == TieBreak::kFixed;
    const int dx = signed_steps(from.x, to.x, spec_.width, spec_.wrap,
                                fixed || (from.x + to.y + core_sum) % 2 == 0);
    const int dy = signed_steps(from.y, to.y, spec_.height, spec_.wrap,
                                fixed || (from.y + from.x + core_sum) % 2 == 0);

    std::vector<LinkId> links;
    const int num_links = 2 + std::abs(dx) + std::abs(dy);
    links.reserve(static_cast<std::size_t>(num_links));
    links.push_back(up_[static_cast<std::size_t>(source)]);
    int router = source / cores;
    const auto walk = [&](int steps, Direction forwards, Direction backwards) {
      const Direction direction = steps > 0 ? forwards : backwards;
      for (int step = 0; step < std::abs(steps); ++step) {
        links.push_back(cables_[static_cast<std::size_t>(router)][direction]);
        router = neighbour(router, direction);
      }
    };
    walk(dx, kPlusX, kMinusX);
    walk(dy, kPlusY, kMinusY);
    SWITCHYARD_CHECK(router == destination / cores, "path {} -> {} ends at router {}", source,
                     destination, router);
    links.push_back(down_[static_cast<std::size_t>(destination)]);
    return links;
  }

  /// Routers are the first vertices, in order.
  [[nodiscard]] static NodeId node(int router) { return static_cast<NodeId>(router); }

  TorusSpec spec_;
  Topology topology_;
  std::vector<std::array<LinkId, 4>> cables_;  ///< by router and Direction, where the cable exists
  std::vector<LinkId> up_;                     ///< rank -> router
  std::vector<LinkId> down_;                   ///< router -> rank
};

}  // namespace

Topology build_torus(const TorusSpec& spec) {
  validate(spec);
  return TorusBuilder{spec}.build();
}

}  // namespace switchyard
