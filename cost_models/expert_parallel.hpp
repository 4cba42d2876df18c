#pragma once

#include <string>

#include "sim/core/constant.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// What one dispatch and its combine move. Expert e lives on rank e / (num_experts / ranks); rank r
/// is on node r / ranks_per_node. Balanced: all ranks have as many tokens, all experts as many
/// choices.
struct ExpertParallelShape {
  int ranks = 8;
  int ranks_per_node = 8;  ///< ranks of one scale-up domain
  int num_experts = 0;
  int top_k = 1;
  int limited_nodes = 0;  ///< experts of one token come from this many nodes at most; 0: from any
  double tokens_per_rank = 0;
  int d_model = 0;
  double dispatch_bytes_per_element = 1.0 + 4.0 / 128;  ///< FP8 and a float32 scale for each 128
  double combine_bytes_per_element = 2.0;               ///< bfloat16
  int communication_sms = 20;  ///< given to the normal mode; low latency takes what it needs
};

/// How many groups a token's distinct experts are expected to fall into, when `top_k` of
/// `num_experts` are drawn without replacement and each of `groups` holds as many:
///
///   g * (1 - C(E - E/g, k) / C(E, k))          (hypergeometric: 1 - P(a group gets none))
///
/// where g = groups, E = num_experts, k = top_k.
/// Precondition: groups divides num_experts, 0 <= top_k <= num_experts (checked).
[[nodiscard]] double expected_distinct_groups(int groups, int num_experts, int top_k);

/// Of one token, the ranks and nodes that hold one of its experts, its own included.
struct ExpectedDestinations {
  double ranks = 0;
  double nodes = 0;
};

/// As expected_distinct_groups(), over ranks and over nodes. With limited_nodes = M, M nodes are
/// drawn first and the experts from theirs; all draws uniform. (Routers that pick the nodes by
/// their best expert reach slightly more.)
/// Precondition: the shape is whole: ranks divide experts, ranks_per_node divides ranks, or there
/// is one node (checked).
[[nodiscard]] ExpectedDestinations expected_destinations(const ExpertParallelShape& shape);

/// One rank's links and device.
struct ExpertParallelLinks {
  BytesPerSecond scale_up;         ///< datasheet, one way; no time is below what this allows
  BytesPerSecond scale_up_usable;  ///< what one-way copies reach in practice
  BytesPerSecond scale_out;        ///< the rank's network card
  int device_sms = 132;

  friend bool operator==(const ExpertParallelLinks&, const ExpertParallelLinks&) = default;
};

/// Constants of one direction in the normal (throughput) mode. SM time is that of one SM with all
/// its warps at work; a token's bytes are those of its hidden vector in the direction's type.
struct NormalTransferConstants {
  Seconds startup;                 ///< kernel launch and handshake, all ranks in one node
  Seconds startup_between;         ///< the same, over several nodes
  double pipeline_depth = 0;       ///< a token alone takes this many times its SM time
  Seconds per_token;               ///< SM time
  Seconds per_token_megabyte;      ///< SM time for 1e6 bytes of tokens
  Seconds per_rank_megabyte;       ///< SM time for 1e6 bytes of copies to destination ranks
  Seconds per_node_megabyte;       ///< SM time for 1e6 bytes of copies to destination nodes
  double scale_up_efficiency = 1;  ///< share of scale_up_usable
  Seconds notify;                  ///< exchange of counts before a transfer between nodes
  double notify_share = 0;         ///< waiting for the last rank, as a share of the transfer
};

/// Constants of one direction in the low-latency mode. An SM serves whole experts, so
/// ceil(E / ceil(E / device_sms)) SMs work, where E = num_experts.
struct LowLatencyConstants {
  Seconds startup;
  Seconds startup_between;
  Seconds per_expert;            ///< flags are sent and awaited for every expert
  Seconds per_token;             ///< SM time
  Seconds per_token_megabyte;    ///< SM time for 1e6 bytes of tokens
  Seconds per_message_megabyte;  ///< SM time for 1e6 bytes of messages, top_k a token
  double scale_up_efficiency = 1;
};

/// Error to expect, from rows that were held out.
struct ExpertParallelBands {
  double one_node_p90 = 0;
  double two_nodes_p90 = 0;
};

template <class Constants>
struct ExpertParallelMode {
  Constants dispatch;
  Constants combine;
  ExpertParallelBands dispatch_bands;
  ExpertParallelBands combine_bands;
};

/// A library for expert-parallel dispatch and combine, as measured on one kind of cluster.
struct ExpertParallelProfile {
  std::string name;
  std::string library;
  ExpertParallelLinks links;
  double scale_out_efficiency = 1;  ///< share of the network card's rate, both modes
  ExpertParallelMode<NormalTransferConstants> normal;
  ExpertParallelMode<LowLatencyConstants> low_latency;
};

enum class TransferDirection { kDispatch, kCombine };

struct TransferTime {
  Seconds notify;
  Seconds transmit;
  Seconds lower_bound;  ///< of the transmission
  Provenance provenance = Provenance::kFitted;
  double error_band = 0;  ///< relative

  [[nodiscard]] Seconds total() const { return notify + transmit; }
};

/// No implementation of a balanced dispatch is faster. A token's bytes b must reach each distinct
/// node once and each distinct rank once, from any of its links:
///
///   network cards: t * n * (1 - 1/N) * b / B_out       t = tokens per rank, N = number of nodes
///   all links:     t * r * (1 - 1/R) * b / (B_up + B_out)          R = ranks; one node: B_up only
///
/// where r, n = expected_destinations(), of which 1/R and 1/N are the token's own by symmetry.
/// A combine moves as much the other way, each node's and each rank's results summed before they
/// leave, so the bound is the same with its bytes.
[[nodiscard]] Seconds transfer_lower_bound(const ExpertParallelShape& shape,
                                           const ExpertParallelLinks& links,
                                           TransferDirection direction);

/// Normal mode: a token crosses to each destination node once, over the network card, and is
/// forwarded inside the node to each destination rank.
///
///   T = startup + depth * W_r + || t * W / s,  t * r * (1 - 1/p) * b / (up * e),
///                                  t * n * (1 - 1/N) * b / (out * e_out) ||_8
///   W   = W_r + per_node * n * b
///   W_r = per_token + per_token_MB * b + per_rank * r * b
///   notify = 0 in one node, else notify + notify_share * T
///
/// where s = communication_sms, p = ranks_per_node, up = scale_up_usable, and ||.||_8 = the eighth
/// root of the sum of eighth powers: nearly the largest of what overlaps. Other symbols as above;
/// per_node counts only between nodes.
[[nodiscard]] TransferTime normal_transfer_time(const ExpertParallelProfile& profile,
                                                const ExpertParallelLinks& links,
                                                const ExpertParallelShape& shape,
                                                TransferDirection direction);

/// Low-latency mode: every choice of every token is a message of its own, straight to its rank.
///
///   T = startup + per_expert * E + W + || t * W / s,  t * k * b * (p - 1)/R / (up * e),
///                                         t * k * b * (R - p)/R / (out * e_out) ||_8
///   W = per_token + per_token_MB * b + per_message_MB * k * b
///
/// where s = SMs at work (see LowLatencyConstants), k = top_k. limited_nodes does not matter.
[[nodiscard]] TransferTime low_latency_transfer_time(const ExpertParallelProfile& profile,
                                                     const ExpertParallelLinks& links,
                                                     const ExpertParallelShape& shape,
                                                     TransferDirection direction);

// Both: zero tokens take the startup (and notify). One node of 8 ranks and two nodes of 8, with the
// profile's links, were measured and are `fitted`; any other count or link is `extrapolated`. The
// band of an extrapolation is twice that of the nearest measured count: an assumption. The time is
// never below lower_bound. Preconditions: as expected_destinations(); counts positive (checked).

}  // namespace switchyard
