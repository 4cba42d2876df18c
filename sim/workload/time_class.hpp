#pragma once

#include <optional>
#include <string_view>

#include "sim/workload/operators.hpp"

namespace switchyard {

/// What the nodes of a predicted step and the kernels of a measured one can both be told apart by:
/// coarser than OperatorClass, because a kernel's name does not say which layer it belongs to.
enum class TimeClass {
  kProducts,   ///< dense ones: projections, feed-forward, logits
  kAttention,  ///< between the projections: scores, softmax, weighted sum
  kExperts,    ///< products of experts
  kRouter,
  kPermutation,  ///< rows to experts and back: copies, sorts, sums, one-hot tensors
  kElementwise,  ///< norms, activations, residuals, embeddings, losses, accumulation
  kOptimizer,
  kAllToAll,
  kAllReduce,
  kGather,  ///< all-gather and reduce-scatter
};
inline constexpr int kNumTimeClasses = 10;

/// "products", "all-to-all", ...: the word in tables and files.
[[nodiscard]] std::string_view time_class_name(TimeClass time_class);
[[nodiscard]] std::optional<TimeClass> time_class_of_name(std::string_view name);

[[nodiscard]] TimeClass time_class(const Operator& op);
[[nodiscard]] TimeClass time_class(const Collective& collective);

/// Whether the class is one of collectives.
[[nodiscard]] constexpr bool is_communication(TimeClass c) { return c >= TimeClass::kAllToAll; }

}  // namespace switchyard
