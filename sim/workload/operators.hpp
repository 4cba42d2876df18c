#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/core/ids.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/collective_kind.hpp"
#include "sim/workload/kernel_kind.hpp"
#include "sim/workload/matmul.hpp"
#include "sim/workload/partition/device_mesh.hpp"

namespace switchyard {

/// What a breakdown of a step adds up.
enum class OperatorClass {
  kEmbedding,
  kNormalization,
  kAttention,
  kFeedForward,
  kRouter,
  kDispatch,  ///< building the one-hot tensors, the dispatch and combine einsums, layout copies
  kAllToAll,
  kExperts,
  kLogits,
  kAccumulation,  ///< adding a microbatch's weight gradients to those of the earlier ones
  kAllReduce,     ///< sums over tensor ranks and of gradients
  kGather,        ///< all-gather and reduce-scatter: of split streams, sequences and weights
  kOptimizer,
};
inline constexpr int kNumOperatorClasses = 13;

/// "attention", "all-to-all", ...: the word in tables, CSV columns and traces.
[[nodiscard]] std::string_view class_name(OperatorClass operator_class);

/// Which rows of an operator or of an all-to-all a routing draw decides. A row is one kept choice:
/// the vector of a token on its way to or from one expert.
enum class RoutedRows {
  kNone,            ///< no rows: sizes are fixed
  kSentByRank,      ///< choices of the tokens of the rank's share of experts
  kReceivedByRank,  ///< choices of all tokens for the experts of its share
  kOfEachExpert,    ///< the same, expert by expert in one kernel: the batch is the rank's experts
};

/// The draw's part in a node.
struct Routed {
  RoutedRows rows = RoutedRows::kNone;
  int moe_layer = 0;  ///< in the order of a forward pass, over both stacks
  int split = 1;      ///< so many ranks divide the rows of a share of the experts among them
};

enum class Phase { kForward, kBackward, kUpdate };

[[nodiscard]] std::string_view phase_name(Phase phase);

/// A tensor in memory; shape (outer, rows, columns), columns contiguous. Devices that tile memory
/// pad rows and columns (see cost_models), never `outer`.
struct Tensor {
  double outer = 1.0;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  int element_bytes = 4;
  bool is_routed = false;  ///< `rows` are those of Operator::routed; else a draw leaves it alone
};

[[nodiscard]] double num_elements(const Tensor& tensor);

/// A tensor read or written `passes` times.
struct Traffic {
  Tensor tensor;
  double passes = 1.0;
};

/// The call of a measurable kernel that an operator is, or is a part of.
struct KernelUse {
  KernelKind kind = KernelKind::kLaunch;
  int element_bytes = 4;
  std::vector<std::int64_t> sizes;  ///< as size_names() of cost_models/calibration has them
  std::string variant{};            ///< of an activation: "swiglu"
  bool has_routed_rows = false;     ///< the first size is that of Operator::routed
  /// Another operator of the same kernel has all of its time.
  bool is_elsewhere = false;
};

/// One kernel of one rank: at most one (batched) matrix product, and what it moves to and from
/// device memory. Elementwise work is memory traffic only.
///
/// Where a draw decides rows, those written here are the ones of perfect balance; see
/// routed_rows.hpp for others.
struct Operator {
  std::string name;  ///< "encoder.3.experts.wi.forward"
  OperatorClass operator_class = OperatorClass::kAttention;
  Phase phase = Phase::kForward;
  Matmul matmul;
  std::vector<Traffic> traffic;
  std::vector<Tensor> saved;  ///< outputs that stay in memory until the backward pass
  Routed routed{};
  /// Outputs that do not stay because the layer's backward pass makes them again: in memory while
  /// it runs.
  std::vector<Tensor> recomputed{};
  std::vector<int> after{};                ///< see StepNode
  bool is_recomputed_selectively = false;  ///< with Recompute::kSelective
  std::optional<KernelUse> kernel{};       ///< where one could be measured that does this
};

/// A collective.
struct Collective {
  std::string name;
  OperatorClass operator_class = OperatorClass::kAllToAll;
  Phase phase = Phase::kForward;
  CollectiveKind kind = CollectiveKind::kAllToAll;
  /// One rank's whole buffer: what it would send to all ranks, itself included (all-to-all), or the
  /// buffer to be summed (all-reduce).
  Bytes buffer;
  MeshGroup group = MeshGroup::kAll;  ///< all groups of this kind do the same at once
  std::vector<RankId> ranks{};        ///< that take part; empty: those of `group`
  /// Of an all-to-all. kSentByRank: each rank sends its tokens' rows to their experts.
  /// kReceivedByRank: each sends back the rows that came to its experts.
  Routed routed{};
  Bytes row_bytes{};         ///< of one routed row
  std::vector<int> after{};  ///< see StepNode
};

/// A node of a step. It waits for the nodes that are that many places before it in the list: {1, 3}
/// waits for the one just before and for the third before. Empty: {1}.
using StepNode = std::variant<Operator, Collective>;

}  // namespace switchyard
