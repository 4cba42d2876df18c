#include "cost_models/expert_parallel.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr int kMeasuredRanksPerNode = 8;
constexpr double kExtrapolationWidening = 2.0;
const Bytes kMegabyte{1e6};

int num_nodes(const ExpertParallelShape& shape) {
  return std::max(1, shape.ranks / shape.ranks_per_node);
}

void check(const ExpertParallelShape& shape) {
  SWITCHYARD_CHECK(
      shape.ranks >= 1 && shape.ranks_per_node >= 1 &&
          (shape.ranks % shape.ranks_per_node == 0 || shape.ranks < shape.ranks_per_node),
      "{} ranks in nodes of {}", shape.ranks, shape.ranks_per_node);
  SWITCHYARD_CHECK(shape.num_experts >= 1 && shape.num_experts % shape.ranks == 0,
                   "{} experts on {} ranks", shape.num_experts, shape.ranks);
  SWITCHYARD_CHECK(shape.limited_nodes >= 0 && shape.limited_nodes <= num_nodes(shape),
                   "{} of {} nodes", shape.limited_nodes, num_nodes(shape));
  SWITCHYARD_CHECK(shape.tokens_per_rank >= 0 && shape.d_model >= 1 && shape.communication_sms >= 1,
                   "{} tokens of {} on {} SMs", shape.tokens_per_rank, shape.d_model,
                   shape.communication_sms);
}

Bytes token_bytes(const ExpertParallelShape& shape, TransferDirection direction) {
  return Bytes{shape.d_model * (direction == TransferDirection::kDispatch
                                    ? shape.dispatch_bytes_per_element
                                    : shape.combine_bytes_per_element)};
}

/// Of times that overlap: nearly the largest, a little more where several are alike.
Seconds overlapped(const std::array<Seconds, 3>& times) {
  const Seconds largest = std::ranges::max(times);
  if (largest == Seconds{}) return largest;
  double sum = 0;
  for (const Seconds time : times) sum += std::pow(time / largest, 8);
  return largest * std::pow(sum, 1.0 / 8);
}

TransferTime with_evidence(TransferTime time, const ExpertParallelShape& shape,
                           bool are_measured_links, const ExpertParallelBands& bands) {
  const bool is_one_node = num_nodes(shape) == 1;
  const bool is_measured =
      are_measured_links && shape.ranks_per_node == kMeasuredRanksPerNode &&
      (shape.ranks == kMeasuredRanksPerNode || shape.ranks == 2 * kMeasuredRanksPerNode);
  time.provenance = is_measured ? Provenance::kFitted : Provenance::kExtrapolated;
  time.error_band = (is_one_node ? bands.one_node_p90 : bands.two_nodes_p90) *
                    (is_measured ? 1.0 : kExtrapolationWidening);
  time.transmit = std::max(time.transmit, time.lower_bound);
  return time;
}

}  // namespace

double expected_distinct_groups(int groups, int num_experts, int top_k) {
  SWITCHYARD_CHECK(groups >= 1 && num_experts % groups == 0, "{} experts in {} groups", num_experts,
                   groups);
  SWITCHYARD_CHECK(top_k >= 0 && top_k <= num_experts, "{} of {} experts", top_k, num_experts);
  const int others = num_experts - num_experts / groups;
  double none = 1.0;  // C(others, k) / C(E, k), one draw at a time
  for (int draw = 0; draw < top_k; ++draw)
    none *= std::max(0.0, static_cast<double>(others - draw)) / (num_experts - draw);
  return groups * (1.0 - none);
}

ExpectedDestinations expected_destinations(const ExpertParallelShape& shape) {
  check(shape);
  const int nodes = num_nodes(shape);
  const int reached = shape.limited_nodes > 0 ? shape.limited_nodes : nodes;
  // Within the nodes that may be reached, the draw is one over their experts and ranks.
  const int experts = shape.num_experts / nodes * reached;
  const int ranks = shape.ranks / nodes * reached;
  return {.ranks = expected_distinct_groups(ranks, experts, shape.top_k),
          .nodes = expected_distinct_groups(reached, experts, shape.top_k)};
}

Seconds transfer_lower_bound(const ExpertParallelShape& shape, const ExpertParallelLinks& links,
                             TransferDirection direction) {
  const ExpectedDestinations to = expected_destinations(shape);
  const double nodes = num_nodes(shape);
  const Bytes bytes = shape.tokens_per_rank * token_bytes(shape, direction);
  const Bytes to_ranks = to.ranks * (1.0 - 1.0 / shape.ranks) * bytes;
  if (num_nodes(shape) == 1) return to_ranks / links.scale_up;
  return std::max(to.nodes * (1.0 - 1.0 / nodes) * bytes / links.scale_out,
                  to_ranks / (links.scale_up + links.scale_out));
}

TransferTime normal_transfer_time(const ExpertParallelProfile& profile,
                                  const ExpertParallelLinks& links,
                                  const ExpertParallelShape& shape, TransferDirection direction) {
  const bool is_dispatch = direction == TransferDirection::kDispatch;
  const NormalTransferConstants& constants =
      is_dispatch ? profile.normal.dispatch : profile.normal.combine;
  const ExpectedDestinations to = expected_destinations(shape);
  const double nodes = num_nodes(shape);
  const bool is_one_node = num_nodes(shape) == 1;
  const int ranks_of_node = shape.ranks / num_nodes(shape);
  const Bytes token = token_bytes(shape, direction);
  const Bytes copies = to.ranks * token;
  const Bytes node_copies = (is_one_node ? 0.0 : to.nodes) * token;

  const Seconds rank_work = constants.per_token + token / kMegabyte * constants.per_token_megabyte +
                            copies / kMegabyte * constants.per_rank_megabyte;
  const Seconds work = rank_work + node_copies / kMegabyte * constants.per_node_megabyte;
  TransferTime time;
  time.transmit = (is_one_node ? constants.startup : constants.startup_between) +
                  constants.pipeline_depth * rank_work +
                  overlapped({shape.tokens_per_rank / shape.communication_sms * work,
                              shape.tokens_per_rank * (1.0 - 1.0 / ranks_of_node) * copies /
                                  (constants.scale_up_efficiency * links.scale_up_usable),
                              shape.tokens_per_rank * (1.0 - 1.0 / nodes) * node_copies /
                                  (profile.scale_out_efficiency * links.scale_out)});
  if (!is_one_node) time.notify = constants.notify + constants.notify_share * time.transmit;
  time.lower_bound = transfer_lower_bound(shape, links, direction);
  return with_evidence(time, shape, links == profile.links,
                       is_dispatch ? profile.normal.dispatch_bands : profile.normal.combine_bands);
}

TransferTime low_latency_transfer_time(const ExpertParallelProfile& profile,
                                       const ExpertParallelLinks& links,
                                       const ExpertParallelShape& shape,
                                       TransferDirection direction) {
  check(shape);
  const bool is_dispatch = direction == TransferDirection::kDispatch;
  const LowLatencyConstants& constants =
      is_dispatch ? profile.low_latency.dispatch : profile.low_latency.combine;
  const int ranks_of_node = shape.ranks / num_nodes(shape);
  const int experts_per_sm = (shape.num_experts + links.device_sms - 1) / links.device_sms;
  const int sms = (shape.num_experts + experts_per_sm - 1) / experts_per_sm;
  const Bytes token = token_bytes(shape, direction);
  const Bytes messages = shape.top_k * token;

  const Seconds work = constants.per_token + token / kMegabyte * constants.per_token_megabyte +
                       messages / kMegabyte * constants.per_message_megabyte;
  const Bytes sent = shape.tokens_per_rank * messages;
  TransferTime time;
  time.transmit = (num_nodes(shape) == 1 ? constants.startup : constants.startup_between) +
                  constants.per_expert * shape.num_experts + work +
                  overlapped({shape.tokens_per_rank / sms * work,
                              (ranks_of_node - 1.0) / shape.ranks * sent /
                                  (constants.scale_up_efficiency * links.scale_up_usable),
                              static_cast<double>(shape.ranks - ranks_of_node) / shape.ranks *
                                  sent / (profile.scale_out_efficiency * links.scale_out)});
  time.lower_bound = transfer_lower_bound(shape, links, direction);
  return with_evidence(
      time, shape, links == profile.links,
      is_dispatch ? profile.low_latency.dispatch_bands : profile.low_latency.combine_bands);
}

}  // namespace switchyard
