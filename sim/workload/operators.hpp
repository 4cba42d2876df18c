#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/core/units.hpp"
#include "sim/workload/collective_kind.hpp"

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
  kAllReduce,
  kOptimizer,
};
inline constexpr int kNumOperatorClasses = 12;

/// "attention", "all-to-all", ...: the word in tables, CSV columns and traces.
[[nodiscard]] std::string_view class_name(OperatorClass operator_class);

enum class Phase { kForward, kBackward, kUpdate };

[[nodiscard]] std::string_view phase_name(Phase phase);

/// A tensor in memory; shape (outer, rows, columns), columns contiguous. Devices that tile memory
/// pad rows and columns (see cost_models), never `outer`.
struct Tensor {
  double outer = 1.0;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  int element_bytes = 4;
};

[[nodiscard]] double num_elements(const Tensor& tensor);

/// A tensor read or written `passes` times.
struct Traffic {
  Tensor tensor;
  double passes = 1.0;
};

/// `batch` products (rows, contraction) x (contraction, columns).
struct Matmul {
  double batch = 0.0;  ///< 0: the operator has no matrix product
  std::int64_t rows = 0;
  std::int64_t contraction = 0;
  std::int64_t columns = 0;
};

/// 2 * batch * rows * contraction * columns, before any padding.
[[nodiscard]] Flop matmul_flop(const Matmul& matmul);

/// One kernel of one rank: at most one (batched) matrix product, and what it moves to and from
/// device memory. Elementwise work is memory traffic only.
struct Operator {
  std::string name;  ///< "encoder.3.experts.wi.forward"
  OperatorClass operator_class = OperatorClass::kAttention;
  Phase phase = Phase::kForward;
  Matmul matmul;
  std::vector<Traffic> traffic;
  std::vector<Tensor> saved;  ///< outputs that stay in memory until the backward pass
};

/// A collective over all ranks.
struct Collective {
  std::string name;
  OperatorClass operator_class = OperatorClass::kAllToAll;
  Phase phase = Phase::kForward;
  CollectiveKind kind = CollectiveKind::kAllToAll;
  /// One rank's whole buffer: what it would send to all ranks, itself included (all-to-all), or the
  /// buffer to be summed (all-reduce).
  Bytes buffer;
};

using StepNode = std::variant<Operator, Collective>;

}  // namespace switchyard
