#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "cost_models/calibration/kernel_work.hpp"
#include "sim/core/constant.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// The constants of a kernel's time, in base units (s, B, FLOP).
enum class KernelConstant {
  kLaunch,              ///< s, of each call
  kRate,                ///< FLOP/s of a thread
  kCacheBandwidth,      ///< B/s of traffic, of a thread, while all fits into a core's own caches
  kLastLevelBandwidth,  ///< B/s of traffic from the last-level cache
  kMemoryBandwidth,     ///< B/s of traffic far beyond
  kKnee,                ///< B of a working set of which half comes from the last-level cache
  kSharpness,           ///< of that knee
  kLastLevelKnee,       ///< B of a working set of which half comes from memory
  kLastLevelSharpness,  ///< of that knee: a cache that is shared makes it wide
  kWeightBandwidth,     ///< B/s of weights
  kItem,                ///< s
  kGroup,               ///< s
  kCombination,         ///< 1: compute and traffic add up; large: the longer one decides
  kSharedCompute,       ///< share by which a rank's compute is slower for each other busy rank
  kSharedMemory,        ///< the same of traffic and weights
  kNarrow,              ///< time of a byte of bfloat16 numbers over that of float32: conversions
};
inline constexpr std::size_t kNumKernelConstants = 16;

/// "launch", "rate", ...: keys of a profile.
[[nodiscard]] std::string_view constant_name(KernelConstant constant);

/// A value for each KernelConstant.
using KernelConstants = std::array<double, kNumKernelConstants>;

/// A constant that is fitted: where the search starts and its bounds.
struct ConstantRange {
  KernelConstant constant = KernelConstant::kLaunch;
  double start = 1;
  double lowest = 0;
  double highest = 1;
  /// A constant that is this factor off its start counts as much as a point that is 5 % off.
  double start_factor = 100;
};

/// Whether a constant describes the caches and the memory, which all kernels of a machine share.
[[nodiscard]] bool is_of_memory(KernelConstant constant);

/// The constants that the form of a kind has; the others keep neutral_constants().
[[nodiscard]] std::span<const ConstantRange> constant_ranges(KernelKind kind);

/// Constants of a kernel that costs nothing: infinite rates, no times, no sharing, sums.
[[nodiscard]] KernelConstants neutral_constants();

/// Time of a call in the form
///
///   T       = launch + (compute^p + traffic^p)^(1/p)
///             + group * groups * (1 + shared_compute * others)
///   compute = (flop / rate + item * items) * (1 + shared_compute * others)
///   traffic = (bytes * byte + weights / weight_bandwidth) * (1 + shared_memory * others)
///             with each byte and item of bfloat16 numbers counted narrow times
///   byte    = 1 / cache + (1 / last_level - 1 / cache) * m(knee, sharpness)
///             + (1 / memory - 1 / last_level) * m(last_level_knee, last_level_sharpness)
///   m(k, s) = 1 / (1 + (k / working set)^s)
///
/// where p = combination, others = cores at work on the machine (busy ranks * threads) - 1.
[[nodiscard]] Seconds kernel_time(const KernelWork& work, int other_cores,
                                  const KernelConstants& constants);

}  // namespace switchyard
