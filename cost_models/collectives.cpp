#include "cost_models/collectives.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/core/error.hpp"
#include "topologies/analysis.hpp"

namespace switchyard {
namespace {

enum class Dimension { kX, kY };

/// One round of a ring in one dimension: every rank of the part passes `bytes` on.
struct RingStep {
  Dimension dimension;
  Bytes bytes;
};

/// A torus of one or two dimensions, which is what the functions below know.
struct Rectangle {
  explicit Rectangle(const TorusSpec& spec)
      : width{spec.dimensions.empty() ? 0 : spec.dimensions[0].length},
        height{spec.dimensions.size() > 1 ? spec.dimensions[1].length : 1},
        ranks_per_router{spec.ranks_per_router} {
    SWITCHYARD_CHECK(
        spec.dimensions.size() <= 2 && width >= 1 && height >= 1 && ranks_per_router >= 1,
        "torus {}x{}x{}, {} dimensions", width, height, ranks_per_router, spec.dimensions.size());
    wrap = spec.dimensions[0].wrap;
    link = spec.dimensions[0].link;
  }

  int width;
  int height;
  int ranks_per_router;
  bool wrap = true;
  LinkSpec link;
};

/// Bytes of one repetition of `round` on each link, added to `loads`.
void add_round_loads(const Topology& topology, const Round& round, std::vector<Bytes>& loads) {
  std::vector<LinkId> links;
  for_each_message(round, num_ranks(topology), [&](const Flow& flow) {
    links.clear();
    append_path(topology, flow.source, flow.destination, links);
    for (const LinkId link : links) loads[link.index()] += flow.bytes;
  });
}

/// Reduce-scatter of `held` bytes per rank along `first`, then along the other dimension.
std::vector<RingStep> reduce_scatter_steps(const Rectangle& torus, Bytes held, Dimension first) {
  const Dimension second = first == Dimension::kX ? Dimension::kY : Dimension::kX;
  std::vector<RingStep> steps;
  for (const Dimension dimension : {first, second}) {
    const int length = dimension == Dimension::kX ? torus.width : torus.height;
    held = held / length;
    for (int step = 1; step < length; ++step) steps.push_back({dimension, held});
  }
  return steps;
}

RankId rank_at(const Rectangle& torus, int x, int y, int core) {
  const int router =
      (y + torus.height) % torus.height * torus.width + (x + torus.width) % torus.width;
  return RankId{router * torus.ranks_per_router + core};
}

/// Core `core` of every chip sends to the same core of its neighbours, half the bytes each way; in
/// a ring of 2 both ways lead to the same neighbour.
void add_ring_flows(const Rectangle& torus, int core, RingStep step, std::vector<Flow>& flows) {
  const bool along_x = step.dimension == Dimension::kX;
  const int dx = along_x ? 1 : 0;
  const int dy = along_x ? 0 : 1;
  const bool both_ways = (along_x ? torus.width : torus.height) > 2;
  const Bytes each_way = both_ways ? step.bytes / 2 : step.bytes;
  for (int y = 0; y < torus.height; ++y) {
    for (int x = 0; x < torus.width; ++x) {
      const RankId source = rank_at(torus, x, y, core);
      flows.push_back({source, rank_at(torus, x + dx, y + dy, core), each_way});
      if (both_ways) flows.push_back({source, rank_at(torus, x - dx, y - dy, core), each_way});
    }
  }
}

/// Every core gives each other core of its chip its share of the buffer.
Round on_chip_round(const Rectangle& torus, Bytes share) {
  Round round;
  for (int y = 0; y < torus.height; ++y)
    for (int x = 0; x < torus.width; ++x)
      for (int source = 0; source < torus.ranks_per_router; ++source)
        for (int other = 0; other < torus.ranks_per_router; ++other)
          if (other != source)
            round.flows.push_back(
                {rank_at(torus, x, y, source), rank_at(torus, x, y, other), share});
  return round;
}

/// The reduce-scatter rounds of all cores over all chips, each core's `share` in its order.
std::vector<Round> ring_rounds(const Rectangle& torus, Bytes share) {
  const int cores = torus.ranks_per_router;
  const bool cut_shares = cores % 2 == 1;
  std::vector<Round> rounds(static_cast<std::size_t>(torus.width + torus.height - 2));
  const auto add_part = [&](int core, Bytes held, Dimension first) {
    const std::vector<RingStep> steps = reduce_scatter_steps(torus, held, first);
    for (std::size_t k = 0; k < steps.size(); ++k)
      add_ring_flows(torus, core, steps[k], rounds[k].flows);
  };
  for (int core = 0; core < cores; ++core) {
    if (cut_shares) {
      add_part(core, share / 2, Dimension::kX);
      add_part(core, share / 2, Dimension::kY);
    } else {
      add_part(core, share, core % 2 == 0 ? Dimension::kX : Dimension::kY);
    }
  }
  return rounds;
}

int cables_per_ring(const Rectangle& torus) { return torus.wrap ? 2 : 1; }

/// Sum of the bandwidths of all router-to-router links, both directions of each.
BytesPerSecond total_link_bandwidth(const Rectangle& torus) {
  const auto links_of_ring = [&](int length) {
    if (length == 1) return 0;
    return torus.wrap ? 2 * length : 2 * (length - 1);
  };
  const int links =
      links_of_ring(torus.width) * torus.height + links_of_ring(torus.height) * torus.width;
  return links * torus.link.bandwidth;
}

}  // namespace

CollectiveSchedule direct_all_to_all(int num_ranks, Bytes bytes_per_pair) {
  SWITCHYARD_CHECK(num_ranks >= 1 && bytes_per_pair >= Bytes{0}, "{} ranks, {} bytes", num_ranks,
                   bytes_per_pair.base());
  return direct_all_to_all(Eigen::MatrixXd::Constant(num_ranks, num_ranks, bytes_per_pair.base()));
}

CollectiveSchedule direct_all_to_all(const Eigen::Ref<const Eigen::MatrixXd>& bytes) {
  SWITCHYARD_CHECK(bytes.rows() == bytes.cols(), "traffic of shape {}x{}", bytes.rows(),
                   bytes.cols());
  SWITCHYARD_CHECK(bytes.size() == 0 || (bytes.minCoeff() >= 0.0 && bytes.allFinite()),
                   "traffic entries must be finite and not negative");
  Round round;
  for (int source = 0; source < bytes.rows(); ++source) {
    for (int destination = 0; destination < bytes.cols(); ++destination) {
      const Flow flow{RankId{source}, RankId{destination}, Bytes{bytes(source, destination)}};
      if (crosses_network(flow)) round.flows.push_back(flow);
    }
  }
  CollectiveSchedule schedule{.algorithm = "direct", .rounds = {}};
  if (!round.flows.empty()) schedule.rounds.push_back(std::move(round));
  return schedule;
}

CollectiveSchedule torus_all_reduce(const TorusSpec& spec, Bytes buffer) {
  const Rectangle torus{spec};
  SWITCHYARD_CHECK(buffer >= Bytes{0}, "buffer of {} bytes", buffer.base());
  CollectiveSchedule schedule{.algorithm = "torus-ring", .rounds = {}};
  if (num_ranks(spec) == 1 || buffer == Bytes{0}) return schedule;

  const Bytes share = buffer / torus.ranks_per_router;
  std::vector<Round>& rounds = schedule.rounds;
  if (torus.ranks_per_router > 1) rounds.push_back(on_chip_round(torus, share));
  std::ranges::move(ring_rounds(torus, share), std::back_inserter(rounds));
  // The all-gather sends the same messages as the reduce-scatter, last round first.
  for (std::size_t k = rounds.size(); k-- > 0;) rounds.emplace_back(Round{rounds[k]});
  return schedule;
}

std::vector<Bytes> link_loads(const CollectiveSchedule& schedule, const Topology& topology) {
  std::vector<Bytes> total(topology.links.size());
  for (const Round& round : schedule.rounds) {
    std::vector<Bytes> loads(topology.links.size());
    add_round_loads(topology, round, loads);
    for (std::size_t link = 0; link < total.size(); ++link)
      total[link] += round.repeat * loads[link];
  }
  return total;
}

Seconds schedule_time(const CollectiveSchedule& schedule, const Topology& topology) {
  if (num_rounds(schedule) == 0) return Seconds{0};
  Seconds total = schedule.startup;
  std::vector<Bytes> loads(topology.links.size());
  for (const Round& round : schedule.rounds) {
    std::ranges::fill(loads, Bytes{0});
    add_round_loads(topology, round, loads);
    Seconds latency;
    for_each_message(round, num_ranks(topology), [&](const Flow& flow) {
      latency = std::max(latency, path_latency(topology, flow.source, flow.destination));
    });
    total += round.repeat * (latency + bottleneck_time(topology, loads));
  }
  return total;
}

Seconds link_load_bound(const CollectiveSchedule& schedule, const Topology& topology) {
  return bottleneck_time(topology, link_loads(schedule, topology));
}

Seconds all_to_all_lower_bound(const TorusSpec& spec, Bytes bytes_per_pair) {
  const Rectangle torus{spec};
  const double ranks = num_ranks(spec);
  const double cores = torus.ranks_per_router;
  Seconds bound = (ranks - 1) * bytes_per_pair / spec.on_chip.bandwidth;
  int fewest_links = 0;
  for (const auto& [length, other] :
       {std::pair{torus.width, torus.height}, std::pair{torus.height, torus.width}}) {
    if (length == 1) continue;
    fewest_links += cables_per_ring(torus);
    const int near = length / 2;
    const double crossing = cores * cores * near * (length - near) * other;
    bound = std::max(bound,
                     crossing * bytes_per_pair / (cables_per_ring(torus) * torus.link.bandwidth));
  }
  if (fewest_links > 0)
    bound = std::max(
        bound, cores * (ranks - cores) * bytes_per_pair / (fewest_links * torus.link.bandwidth));
  return bound;
}

Seconds all_reduce_lower_bound(const TorusSpec& spec, Bytes buffer) {
  const Rectangle torus{spec};
  const double ranks = num_ranks(spec);
  const Seconds ports = 2 * (ranks - 1) / ranks * buffer / spec.on_chip.bandwidth;
  if (num_routers(spec) == 1) return ports;
  const Seconds links = 2.0 * (num_routers(spec) - 1) * buffer / total_link_bandwidth(torus);
  const Seconds cut = buffer / bisection_bandwidth(spec);
  return std::max({ports, links, cut});
}

}  // namespace switchyard
