#include "cost_models/ring.hpp"

#include "cost_models/group_nodes.hpp"
#include "cost_models/schedule_parts.hpp"

namespace switchyard {
namespace {

/// The group in the order in which channel `channel` visits it.
RankGroup channel_order(const GroupNodes& nodes, int channel) {
  RankGroup order;
  for (std::size_t node = 0; node < nodes.members.size(); ++node) {
    const RankGroup& members = nodes.members[node];
    const auto size = static_cast<int>(members.size());
    const bool upwards = node % 2 == 0;
    for (int k = 0; k < size; ++k) {
      const int place = upwards ? channel + k : channel - 1 - k + 2 * size;
      order.push_back(members[static_cast<std::size_t>(place % size)]);
    }
  }
  return order;
}

}  // namespace

std::vector<Flow> ring_step(const RankGroup& group, const Topology& topology, Bytes bytes) {
  const GroupNodes nodes = group_nodes(group, topology);
  const int channels = nodes.members.size() == 1 ? 1 : fewest_members(nodes);
  std::vector<Flow> flows;
  for (int channel = 0; channel < channels; ++channel) {
    const RankGroup order = nodes.members.size() == 1 ? group : channel_order(nodes, channel);
    for (std::size_t k = 0; k < order.size(); ++k)
      flows.push_back({order[k], order[(k + 1) % order.size()], bytes / channels});
  }
  return merged(flows);
}

std::vector<Round> ring_rounds(const RankGroup& group, const Topology& topology, Bytes size,
                               int num_passes) {
  const auto ranks = static_cast<int>(group.size());
  if (ranks < 2 || size == Bytes{0}) return {};
  return {{.flows = ring_step(group, topology, size / ranks), .repeat = num_passes * (ranks - 1)}};
}

}  // namespace switchyard
