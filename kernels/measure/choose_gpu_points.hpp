#pragma once

#include <vector>

#include "kernels/measure/choose_points.hpp"

namespace switchyard::kernels {

/// As choose_points(), of what GPUs are for: products up to 2e12 FLOP, up to 65536 tokens, decoding
/// from one row on, layers of Switch-Base, of the kind of Switch-C and of Mixtral.
///
/// Products and routers are in bfloat16 alone: those of float32 run at another rate and by another
/// route, and a form has one. Every fifth point of the rest is in float32. No operator of attention
/// or of norms is in this repository for CUDA. With a transport: its collectives alone.
[[nodiscard]] std::vector<OperatorPoint> choose_gpu_points(const MeasurePlan& plan);

/// Seconds that both passes of a point take on a GPU, roughly.
[[nodiscard]] double rough_gpu_seconds(const OperatorPoint& point, const MeasurePlan& plan);

/// Device memory that a point takes, roughly.
/// @param cache_bytes  of the last level: weights are rotated through twice as much
[[nodiscard]] double gpu_bytes(const OperatorPoint& point, double cache_bytes);

}  // namespace switchyard::kernels
