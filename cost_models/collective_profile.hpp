#pragma once

#include <array>
#include <string>
#include <vector>

#include "cost_models/algorithm_thresholds.hpp"
#include "sim/core/constant.hpp"
#include "sim/core/units.hpp"
#include "sim/workload/collective_kind.hpp"

namespace switchyard {

/// Size ranges for which the errors of a collective model are stated apart: latency decides below
/// 64 KiB, protocols and channels change up to 4 MiB (included), bandwidth decides above.
enum class SizeBand { kBelow64KiB, kTo4MiB, kAbove4MiB };
inline constexpr std::size_t kNumSizeBands = 3;

[[nodiscard]] SizeBand size_band(Bytes size);
[[nodiscard]] const char* size_band_name(SizeBand band);

/// Time of one collective over one number of ranks, as a function of its size S (the "size" column
/// of nccl-tests: one rank's whole buffer). Between neighbouring knots i and i + 1 it is
///
///   T(S) = alpha_i + S / beta_i        the line through both: alpha-beta, a pair for each regime
///
/// because a library changes protocol, channels and chunks with the size, and each choice has a
/// startup and a rate. At and below the first knot T is that knot's time: the library's startup.
/// Above the last, the last line goes on.
struct TimeCurve {
  int ranks = 0;
  std::vector<Bytes> sizes;    ///< strictly ascending, at least one
  std::vector<Seconds> times;  ///< as many, never descending
};

/// T(S) as above. Precondition: the curve is well formed and the size not negative (checked).
[[nodiscard]] Seconds curve_time(const TimeCurve& curve, Bytes size);

/// What was measured of one collective.
struct CollectiveTimes {
  CollectiveKind kind = CollectiveKind::kAllToAll;
  std::vector<TimeCurve> curves;  ///< by ascending number of ranks
  /// Per SizeBand: 90 % of rows that were held out are predicted better than this (relative).
  std::array<double, kNumSizeBands> held_out_p90 = {};
  /// The same for a number of ranks that no curve was fitted to.
  double transfer_p90 = 0;
};

/// A library's collectives between devices of one scale-up domain (NVLink with switches).
struct CollectiveProfile {
  std::string name;
  std::string library;            ///< with version
  BytesPerSecond link_bandwidth;  ///< datasheet, per rank and direction
  AlgorithmThresholds thresholds{};
  std::vector<CollectiveTimes> collectives;
};

/// What was measured of `kind`; nullptr when nothing was.
[[nodiscard]] const CollectiveTimes* find_times(const CollectiveProfile& profile,
                                                CollectiveKind kind);

/// Bytes that each rank's port carries one way, per byte of size, in the algorithms without
/// in-network reduction: (p - 1)/p; twice that for an all-reduce; 1 point to point.
/// Source: nccl-tests, doc/PERFORMANCE.md (the factor from algbw to busbw).
[[nodiscard]] double port_bytes_per_byte(CollectiveKind kind, int ranks);

/// How an engine turns ideal flows into what the library does: each rank waits `startup`, then its
/// flows carry payload * byte_inflation.
struct TransportCost {
  Seconds startup;
  double byte_inflation = 1;  ///< never below 1
  Provenance provenance = Provenance::kFitted;
  double error_band = 0;  ///< relative; 9 of 10 held-out rows were within
};

/// The cost of a collective of `size` over `ranks` ranks, such that alone on its node
///
///   startup + byte_inflation * ideal_transfer = T(S)
///
/// where T is the curve of that number of ranks. The startup is T(0) and inflation the rest; where
/// that would make inflation less than 1, the startup is T(S) - ideal_transfer, and where even that
/// is negative, nothing is added: the result is never below ideal_transfer.
///
/// @param ideal_transfer  time of the schedule's flows alone on their links at link_bandwidth,
///                        without latency.
///
/// Numbers of ranks without a curve: startup and inflation are interpolated linearly in log2(ranks)
/// between the neighbouring curves, or taken from the nearest, each against the ideal transfer
/// scaled by port_bytes_per_byte(). The result is `extrapolated` and has the wider of the two
/// bands; so has a size above the last knot of a curve, with its size band's.
/// Edge: one rank costs nothing. Precondition: find_times() finds the kind (checked).
[[nodiscard]] TransportCost transport_cost(const CollectiveProfile& profile, CollectiveKind kind,
                                           int ranks, Bytes size, Seconds ideal_transfer);

}  // namespace switchyard
