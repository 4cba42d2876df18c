#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// What is timed. Names and sizes are those of the points file, see docs/calibrating.md.
enum class MeasuredOperator {
  kLaunch,  ///< a call of the thread pool, or of a kernel, that does nothing
  kSync,    ///< of a GPU: an empty kernel, and a wait for it
  kCopy,
  kGemm,  ///< one product as the layer computes it: grouped_forward of one expert
  kGroupedForward,
  kGroupedDataGradient,
  kGroupedWeightGradient,
  kRouter,
  kRouterBackward,
  kPlan,
  kPermute,
  kUnpermute,
  kCombine,
  kCombineBackward,
  kActivation,
  kActivationBackward,
  kLayerNorm,
  kAttentionPrefill,
  kAttentionDecode,
  kAllToAll,
  kAllReduce,
  kAllGather,
  kLayerForward,  ///< whole layers, for validation only
  kLayerForwardBackward,
};
inline constexpr int kNumMeasuredOperators = 24;

/// "launch", "grouped_forward", ...
[[nodiscard]] std::string_view operator_name(MeasuredOperator op);

/// Names of OperatorPoint::sizes, in order: "rows", "n", "k", "experts".
[[nodiscard]] const std::vector<std::string_view>& size_names(MeasuredOperator op);

[[nodiscard]] bool is_collective(MeasuredOperator op);
[[nodiscard]] bool is_layer(MeasuredOperator op);
[[nodiscard]] bool is_grouped(MeasuredOperator op);

/// What a point is for. Layers are never fitted to.
enum class PointRole { kFit, kHeldOut, kLayer };

/// One thing to time.
struct OperatorPoint {
  MeasuredOperator op = MeasuredOperator::kLaunch;
  bool is_bfloat16 = false;                   ///< what is stored; sums are float
  std::vector<std::int64_t> sizes = {};       ///< see size_names()
  std::vector<std::int64_t> loads = {};       ///< rows of each expert; empty: as even as can be
  Activation activation = Activation::kRelu;  ///< of activations and layers
  double skew = 0.0;  ///< of layers: the r-th expert has a share r^-skew of the choices
  Transport transport = Transport::kNone;
  int ranks = 1;       ///< of a collective or a layer
  int busy_ranks = 1;  ///< that run the operator side by side, each on data of its own
  int threads = 1;     ///< of each rank
  PointRole role = PointRole::kFit;
};

/// The size of that name. Precondition: the operator has it.
[[nodiscard]] std::int64_t size_of(const OperatorPoint& point, std::string_view name);

/// The first columns of its line in the points file, up to the role: what tells it from others.
[[nodiscard]] std::string point_key(const OperatorPoint& point);

/// Floating-point operations and bytes moved, roughly: for choosing points and repeats.
struct RoughCost {
  double flop = 0.0;
  double bytes = 0.0;
};
[[nodiscard]] RoughCost rough_cost(const OperatorPoint& point);

}  // namespace switchyard::kernels
