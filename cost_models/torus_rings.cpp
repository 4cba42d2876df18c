#include "cost_models/torus_rings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include <Eigen/Geometry>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr int kMaxSlices = 32;

/// Intervals of the pipeline that are alike.
struct Interval {
  /// Seconds per byte of buffer: of each dimension (row) from the share of each order (column).
  Eigen::MatrixXd loads;
  int count = 1;
};

/// Fraction of its share that order j has sent per router in phase p.
double phase_fraction(const std::vector<TorusBox::Axis>& axes, std::size_t order,
                      std::size_t phase) {
  double held = 1.0;
  for (std::size_t p = 0; p < phase; ++p) held /= axes[(order + p) % axes.size()].length;
  const int length = axes[(order + phase) % axes.size()].length;
  return held * (length - 1) / length;
}

/// Time of a byte along an axis: both ways at once, where a line that does not close is crossed
/// twice; two neighbours have one link.
double seconds_per_byte(const TorusBox::Axis& axis) {
  const bool two_ways = axis.closed && axis.length > 2;
  return 1.0 / ((two_ways ? 2.0 : 1.0) * axis.bandwidth.base());
}

/// The phases of a pipeline of K slices that are active in interval t.
std::pair<int, int> active_phases(int interval, int num_phases, int num_slices) {
  return {std::max(0, interval - num_slices + 1), std::min(interval, num_phases - 1)};
}

/// In a full pipeline all phases are active, each with another slice: as in the interval before.
bool is_as_before(int interval, int num_phases, int num_slices) {
  return interval >= num_phases && interval < num_slices;
}

std::vector<Interval> pipeline_intervals(const std::vector<TorusBox::Axis>& axes, int num_slices) {
  const auto k = static_cast<int>(axes.size());
  std::vector<Interval> intervals;
  for (int t = 0; t < num_slices + k - 1; ++t) {
    if (is_as_before(t, k, num_slices)) {
      ++intervals.back().count;
      continue;
    }
    Eigen::MatrixXd loads = Eigen::MatrixXd::Zero(k, k);
    const auto [first, last] = active_phases(t, k, num_slices);
    for (int phase = first; phase <= last; ++phase)
      for (int order = 0; order < k; ++order) {
        const int d = (order + phase) % k;
        loads(d, order) +=
            phase_fraction(axes, static_cast<std::size_t>(order), static_cast<std::size_t>(phase)) *
            seconds_per_byte(axes[static_cast<std::size_t>(d)]) / num_slices;
      }
    intervals.push_back({.loads = std::move(loads)});
  }
  return intervals;
}

/// Rounds of an interval: as many as the longest ring in use has steps.
int rounds_of(const std::vector<TorusBox::Axis>& axes, const Eigen::VectorXd& loads) {
  int rounds = 0;
  for (Eigen::Index d = 0; d < loads.size(); ++d)
    if (loads(d) > 0.0) rounds = std::max(rounds, axes[static_cast<std::size_t>(d)].length - 1);
  return rounds;
}

Seconds plan_time(const std::vector<TorusBox::Axis>& axes, const std::vector<Interval>& intervals,
                  const Eigen::VectorXd& shares, Bytes buffer) {
  Seconds total;
  for (const Interval& interval : intervals) {
    const Eigen::VectorXd loads = interval.loads * shares;
    Seconds latency;
    for (Eigen::Index d = 0; d < loads.size(); ++d)
      if (loads(d) > 0.0) latency = std::max(latency, axes[static_cast<std::size_t>(d)].latency);
    total += interval.count *
             (rounds_of(axes, loads) * latency + Seconds{loads.maxCoeff() * buffer.base()});
  }
  return total;
}

/// Shares at which the time can have its minimum, equal ones first.
std::vector<Eigen::VectorXd> candidate_shares(const std::vector<Interval>& intervals) {
  const Eigen::Index k = intervals.front().loads.cols();
  std::vector<Eigen::VectorXd> candidates{
      Eigen::VectorXd::Constant(k, 1.0 / static_cast<double>(k))};
  std::vector<Eigen::VectorXd> normals;  // of the hyperplanes of the arrangement
  for (Eigen::Index j = 0; j < k; ++j) normals.emplace_back(Eigen::VectorXd::Unit(k, j));
  for (const Interval& interval : intervals)
    for (Eigen::Index d = 0; d < k; ++d)
      for (Eigen::Index e = d + 1; e < k; ++e)
        normals.emplace_back((interval.loads.row(d) - interval.loads.row(e)).transpose());

  const auto add = [&](Eigen::VectorXd ray) {
    const double sum = ray.sum();
    if (std::abs(sum) <= 1e-12 * ray.cwiseAbs().sum()) return;
    ray /= sum;
    if (ray.minCoeff() < -1e-9) return;
    for (double& share : ray) share = share < 1e-9 ? 0.0 : share;  // what rounding left of nothing
    candidates.emplace_back(ray / ray.sum());
  };
  if (k == 2) {
    for (const Eigen::VectorXd& n : normals) add(Eigen::Vector2d{-n(1), n(0)});
  } else if (k == 3) {
    for (std::size_t a = 0; a < normals.size(); ++a)
      for (std::size_t b = a + 1; b < normals.size(); ++b)
        add(Eigen::Vector3d{normals[a]}.cross(Eigen::Vector3d{normals[b]}));
  }
  return candidates;
}

/// Calls `visit(place)` for every router of the box.
template <class Visit>
void for_each_place(const TorusBox& box, const Visit& visit) {
  std::vector<int> place(box.axes.size());
  while (true) {
    visit(std::as_const(place));
    std::size_t d = 0;
    while (d < place.size() && ++place[d] == box.axes[d].length) place[d++] = 0;
    if (d == place.size()) return;
  }
}

/// Every core gives each other core of its router its share of the buffer.
Round core_exchange(const TorusBox& box, Bytes share) {
  Round round;
  for_each_place(box, [&](const std::vector<int>& place) {
    for (int source = 0; source < box.cores; ++source)
      for (int other = 0; other < box.cores; ++other)
        if (other != source)
          round.flows.push_back({box.at(place, source), box.at(place, other), share});
  });
  return round;
}

/// Every rank passes bytes(core, dimension) on along each dimension, half each way; in a ring of 2
/// both ways lead to the same neighbour.
std::vector<Flow> ring_flows(const TorusBox& box, const Eigen::MatrixXd& bytes) {
  std::vector<Flow> flows;
  for_each_place(box, [&](const std::vector<int>& place) {
    std::vector<int> neighbour = place;
    for (int core = 0; core < box.cores; ++core) {
      for (std::size_t d = 0; d < place.size(); ++d) {
        const Bytes all{bytes(core, static_cast<Eigen::Index>(d))};
        if (all == Bytes{0}) continue;
        const int length = box.axes[d].length;
        const bool both_ways = length > 2;
        const auto send = [&](int step, Bytes amount) {
          neighbour[d] = (place[d] + step + length) % length;
          flows.push_back({box.at(place, core), box.at(neighbour, core), amount});
          neighbour[d] = place[d];
        };
        send(1, both_ways ? all / 2 : all);
        if (both_ways) send(-1, all / 2);
      }
    }
  });
  return flows;
}

}  // namespace

RankId TorusBox::at(const std::vector<int>& place, int core) const {
  int router = 0;
  for (std::size_t d = axes.size(); d-- > 0;) router = router * axes[d].length + place[d];
  return ranks[static_cast<std::size_t>(router * cores + core)];
}

std::vector<int> torus_place(const TorusShape& shape, RankId rank) {
  std::vector<int> place{rank.value() % shape.ranks_per_router};
  int router = rank.value() / shape.ranks_per_router;
  for (const int length : shape.lengths) {
    place.push_back(router % length);
    router /= length;
  }
  return place;
}

std::optional<TorusBox> torus_box(const RankGroup& group, const Topology& topology) {
  if (!topology.torus || group.empty()) return std::nullopt;
  const TorusShape& shape = *topology.torus;
  std::vector<std::set<int>> sets(shape.lengths.size() + 1);  // the first is of cores
  for (const RankId rank : group) {
    const std::vector<int> place = torus_place(shape, rank);
    for (std::size_t d = 0; d < place.size(); ++d) sets[d].insert(place[d]);
  }
  std::size_t size = 1;
  for (const std::set<int>& set : sets) size *= set.size();
  if (size != group.size()) return std::nullopt;

  TorusBox box{.axes = {}, .cores = static_cast<int>(sets[0].size()), .ranks = group};
  std::ranges::sort(box.ranks);  // x fastest after the core: the order of TorusShape
  std::size_t stride = sets[0].size();
  for (std::size_t d = 1; d < sets.size(); ++d) {
    const auto length = static_cast<int>(sets[d].size());
    if (length == 1) continue;
    TorusBox::Axis axis{.length = length,
                        .closed = shape.wraps[d - 1] && length == shape.lengths[d - 1],
                        .bandwidth = BytesPerSecond{std::numeric_limits<double>::infinity()},
                        .latency = {}};
    for (int k = 0; k + 1 < length; ++k) {
      const RankId from = box.ranks[static_cast<std::size_t>(k) * stride];
      const RankId to = box.ranks[static_cast<std::size_t>(k + 1) * stride];
      for (const LinkId link : path(topology, from, to))
        if (topology.links[link.index()].place == LinkPlace::kNetwork)
          axis.bandwidth = std::min(axis.bandwidth, topology.links[link.index()].bandwidth);
      axis.latency = std::max(axis.latency, path_latency(topology, from, to));
    }
    box.axes.push_back(axis);
    stride *= sets[d].size();
  }
  return box;
}

TorusPlan torus_plan(const std::vector<TorusBox::Axis>& axes, Bytes buffer) {
  SWITCHYARD_CHECK(!axes.empty() && axes.size() <= 3, "{} dimensions", axes.size());
  constexpr double kWorthwhile = 1 - 1e-9;  // ties go to equal shares and fewer slices
  TorusPlan best{.shares = {}, .num_slices = 0, .time = {}};
  const int max_slices = axes.size() == 1 ? 1 : kMaxSlices;
  for (int slices = 1; slices <= max_slices; slices *= 2) {
    const std::vector<Interval> intervals = pipeline_intervals(axes, slices);
    for (const Eigen::VectorXd& shares : candidate_shares(intervals)) {
      const Seconds time = plan_time(axes, intervals, shares, buffer);
      if (best.num_slices == 0 || time < kWorthwhile * best.time)
        best = {.shares = {shares.begin(), shares.end()}, .num_slices = slices, .time = time};
    }
  }
  return best;
}

std::vector<Round> torus_reduce_scatter(const TorusBox& box, Bytes buffer) {
  std::vector<Round> rounds;
  if (box.ranks.size() < 2 || buffer == Bytes{0}) return rounds;
  const Bytes share = buffer / box.cores;
  if (box.cores > 1) rounds.push_back(core_exchange(box, share));
  if (box.axes.empty()) return rounds;

  const TorusPlan plan = torus_plan(box.axes, buffer);
  const auto k = static_cast<int>(box.axes.size());
  // Cores that are a multiple of the orders need not cut their shares when these are equal.
  const bool one_order_each =
      box.cores % k == 0 && std::ranges::all_of(plan.shares, [&](double share_of_order) {
        return share_of_order == plan.shares.front();
      });
  const auto share_of = [&](int core, int order) {
    if (one_order_each) return core % k == order ? 1.0 : 0.0;
    return plan.shares[static_cast<std::size_t>(order)];
  };
  int rounds_per_interval = 0;
  for (int t = 0; t < plan.num_slices + k - 1; ++t) {
    if (is_as_before(t, k, plan.num_slices)) {
      rounds.back().repeat += rounds_per_interval;
      continue;
    }
    Eigen::MatrixXd bytes = Eigen::MatrixXd::Zero(box.cores, k);
    const auto [first, last] = active_phases(t, k, plan.num_slices);
    for (int phase = first; phase <= last; ++phase)
      for (int order = 0; order < k; ++order)
        for (int core = 0; core < box.cores; ++core)
          bytes(core, (order + phase) % k) +=
              share_of(core, order) * share.base() / plan.num_slices *
              phase_fraction(box.axes, static_cast<std::size_t>(order),
                             static_cast<std::size_t>(phase));
    rounds_per_interval = rounds_of(box.axes, bytes.colwise().sum().transpose());
    rounds.push_back(
        {.flows = ring_flows(box, bytes / rounds_per_interval), .repeat = rounds_per_interval});
  }
  return rounds;
}

}  // namespace switchyard
