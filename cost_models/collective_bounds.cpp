#include "cost_models/collective_bounds.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "cost_models/all_to_all.hpp"
#include "cost_models/group_nodes.hpp"
#include "cost_models/network_cuts.hpp"

namespace switchyard {
namespace {

/// What must cross the border of a set, by direction.
struct Crossing {
  Bytes leaves;
  Bytes enters;

  Crossing& operator+=(const Crossing& other) {
    leaves += other.leaves;
    enters += other.enters;
    return *this;
  }
};

/// One group with what it asks of a cut.
class Demand {
 public:
  Demand(const CollectiveRequest& request, RankGroup group, std::size_t group_index,
         const Topology& topology)
      : kind_{request.kind}, size_{request.size}, group_{std::move(group)} {
    if (kind_ != CollectiveKind::kAllToAll) return;
    if (request.traffic.empty() && !request.deduplication) return;
    bytes_ = pair_bytes(request, group_, group_index);
    bytes_.diagonal().setZero();
    if (!request.deduplication) return;
    combine_ = request.deduplication->combine;
    if (combine_) bytes_.transposeInPlace();
    nodes_ = group_nodes(group_, topology);
    to_node_ = deduplicated_bytes(*request.deduplication, group_index, nodes_, bytes_);
  }

  /// Of a set with the ranks at these places of the group, in rising order.
  [[nodiscard]] Crossing crossing(const std::vector<Eigen::Index>& inside) const {
    const auto size = static_cast<Eigen::Index>(group_.size());
    if (inside.empty() || std::ssize(inside) == size) return {};
    if (bytes_.size() == 0) return uniform(inside);
    std::vector<Eigen::Index> outside;
    for (Eigen::Index place = 0, next = 0; place < size; ++place) {
      if (next < std::ssize(inside) && inside[static_cast<std::size_t>(next)] == place)
        ++next;
      else
        outside.push_back(place);
    }
    if (to_node_.size() > 0) {
      const Crossing dispatch{.leaves = owed(inside, outside), .enters = owed(outside, inside)};
      return combine_ ? Crossing{.leaves = dispatch.enters, .enters = dispatch.leaves} : dispatch;
    }
    return {.leaves = Bytes{bytes_(inside, outside).sum()},
            .enters = Bytes{bytes_(outside, inside).sum()}};
  }

  [[nodiscard]] const RankGroup& group() const { return group_; }

 private:
  [[nodiscard]] Crossing uniform(const std::vector<Eigen::Index>& inside) const {
    const auto a = static_cast<double>(inside.size());
    const double b = static_cast<double>(group_.size()) - a;
    const Bytes part = size_ / static_cast<double>(group_.size());
    switch (kind_) {
      case CollectiveKind::kAllToAll:
        return {.leaves = a * b * part, .enters = a * b * part};
      case CollectiveKind::kAllReduce:
        return {.leaves = size_, .enters = size_};
      case CollectiveKind::kAllGather:
        return {.leaves = a * part, .enters = b * part};
      case CollectiveKind::kReduceScatter:
        return {.leaves = b * part, .enters = a * part};
      case CollectiveKind::kPointToPoint: {
        const bool from = inside.front() == 0;
        const bool to = inside.back() == std::ssize(group_) - 1;
        return {.leaves = from && !to ? size_ : Bytes{0}, .enters = to && !from ? size_ : Bytes{0}};
      }
    }
    return {};
  }

  /// The most that the ranks at places `from` owe to one rank of `to`, or to one node all of whose
  /// ranks are in `to`.
  [[nodiscard]] Bytes owed(const std::vector<Eigen::Index>& from,
                           const std::vector<Eigen::Index>& to) const {
    Bytes most{bytes_(from, to).colwise().sum().maxCoeff()};
    std::vector<std::size_t> in_to(nodes_.members.size());
    for (const Eigen::Index place : to)
      ++in_to[static_cast<std::size_t>(nodes_.node_of[static_cast<std::size_t>(place)])];
    for (std::size_t node = 0; node < in_to.size(); ++node)
      if (in_to[node] == nodes_.members[node].size())
        most = std::max(most,
                        Bytes{to_node_(from, std::vector{static_cast<Eigen::Index>(node)}).sum()});
    return most;
  }

  CollectiveKind kind_;
  Bytes size_;
  RankGroup group_;
  Eigen::MatrixXd bytes_;    ///< (n, n) where not uniform; of the dispatch where tokens are once
  Eigen::MatrixXd to_node_;  ///< (n, nodes) where tokens are sent once per node
  GroupNodes nodes_;
  bool combine_ = false;
};

/// 2 (N - 1) S over the sum of the bandwidths out of all parts, where a group lies in N of them.
Seconds sum_of_messages(const std::vector<Demand>& demands, Bytes size,
                        const std::vector<NetworkCut>& parts, std::size_t num_ranks) {
  std::vector<int> part_of(num_ranks, -1);
  BytesPerSecond rate;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    for (const RankId rank : parts[p].ranks) part_of[rank.index()] = static_cast<int>(p);
  }
  std::vector<bool> is_used(parts.size());
  double copies = 0;
  for (const Demand& demand : demands) {
    std::vector<int> used;
    for (const RankId rank : demand.group()) used.push_back(part_of[rank.index()]);
    std::ranges::sort(used);
    used.erase(std::unique(used.begin(), used.end()), used.end());
    copies += static_cast<double>(used.size()) - 1;
    for (const int part : used) is_used[static_cast<std::size_t>(part)] = true;
  }
  // Parts without ranks of a group may only pass messages on.
  for (std::size_t p = 0; p < parts.size(); ++p)
    if (is_used[p]) rate += parts[p].out;
  return copies > 0 && rate > BytesPerSecond{0} ? 2 * copies * size / rate : Seconds{0};
}

/// Where each rank of the network lies in the groups, which share none.
class GroupPlaces {
 public:
  GroupPlaces(const std::vector<Demand>& demands, std::size_t num_ranks)
      : demands_{&demands}, places_(num_ranks), inside_(demands.size()) {
    for (std::size_t d = 0; d < demands.size(); ++d)
      for (std::size_t k = 0; k < demands[d].group().size(); ++k)
        places_[demands[d].group()[k].index()] = {static_cast<int>(d),
                                                  static_cast<Eigen::Index>(k)};
  }

  /// What must cross the border of a set, over all groups.
  [[nodiscard]] Crossing crossing(const std::vector<RankId>& ranks) {
    std::vector<std::size_t> touched;
    for (const RankId rank : ranks) {
      const Place& place = places_[rank.index()];
      if (place.demand < 0) continue;
      const auto demand = static_cast<std::size_t>(place.demand);
      if (inside_[demand].empty()) touched.push_back(demand);
      inside_[demand].push_back(place.index);
    }
    Crossing sum;
    for (const std::size_t demand : touched) {
      if (!std::ranges::is_sorted(inside_[demand])) std::ranges::sort(inside_[demand]);
      sum += (*demands_)[demand].crossing(inside_[demand]);
      inside_[demand].clear();
    }
    return sum;
  }

 private:
  struct Place {
    int demand = -1;
    Eigen::Index index = 0;
  };

  const std::vector<Demand>* demands_;
  std::vector<Place> places_;                      ///< by rank
  std::vector<std::vector<Eigen::Index>> inside_;  ///< by demand; empty between calls
};

}  // namespace

Seconds lower_bound(const CollectiveRequest& request, const Topology& topology) {
  return lower_bound(request, topology, network_cuts(topology));
}

Seconds lower_bound(const CollectiveRequest& request, const Topology& topology,
                    const NetworkCuts& cuts) {
  const std::vector<RankGroup> groups = resolved_groups(request, topology);
  std::vector<Demand> demands;
  for (std::size_t g = 0; g < groups.size(); ++g)
    if (groups[g].size() > 1) demands.emplace_back(request, groups[g], g, topology);
  if (demands.empty()) return Seconds{0};

  GroupPlaces places{demands, topology.ranks.size()};
  Seconds bound;
  for (const auto* family : {&cuts.ranks, &cuts.nodes, &cuts.slabs}) {
    for (const NetworkCut& cut : *family) {
      const Crossing sum = places.crossing(cut.ranks);
      if (sum.leaves > Bytes{0}) bound = std::max(bound, sum.leaves / cut.out);
      if (sum.enters > Bytes{0}) bound = std::max(bound, sum.enters / cut.in);
    }
  }
  if (request.kind == CollectiveKind::kAllReduce) {
    if (!topology.in_switch_reduction)
      bound = std::max(bound,
                       sum_of_messages(demands, request.size, cuts.ranks, topology.ranks.size()));
    bound =
        std::max(bound, sum_of_messages(demands, request.size, cuts.nodes, topology.ranks.size()));
  }
  return bound;
}

}  // namespace switchyard
