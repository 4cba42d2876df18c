#pragma once

#include <span>
#include <string>
#include <vector>

#include "cost_models/collective_profile.hpp"
#include "sim/planner/held_out_error.hpp"

namespace switchyard {

/// One measured time of a collective on one node.
struct CollectiveMeasurement {
  std::string system;   ///< "h100_sxm"
  std::string library;  ///< "NCCL 2.29.2"
  CollectiveKind kind = CollectiveKind::kAllToAll;
  int ranks = 0;
  Bytes size;
  Seconds time;
};

/// A row beside what a curve says that was fitted without it (held out) or with it.
struct CollectiveRow {
  CollectiveMeasurement measured;
  Seconds predicted;
  bool is_held_out = false;
  bool is_second_mode = false;  ///< by the rule of second_mode_rows(); never fitted to

  [[nodiscard]] double error() const { return predicted / measured.time - 1.0; }
};

struct CollectiveFit {
  CollectiveProfile profile;
  std::vector<CollectiveRow> rows;  ///< by kind, ranks and size
  /// Every row, predicted by the one of three curves that was fitted without it.
  std::vector<CollectiveRow> each_held_out_once;
};

/// Rows that show a second, slower way in which the library sometimes runs: those that take more
/// than 1.25 times as long as some larger size of the same curve. Moving more bytes cannot take
/// less time, so such a row was measured in another state of the library than its neighbours.
/// `rows` are of one curve, by ascending size.
[[nodiscard]] std::vector<bool> second_mode_rows(std::span<const CollectiveMeasurement> rows);

/// The monotone curve through `rows` (of one curve, by ascending size, at least one; checked):
/// times that descend are pooled into their geometric mean, then every knot is left out that the
/// line between its neighbours reproduces within 2 %. Times are rounded to four digits, as profiles
/// carry them.
/// Source: Barlow, Bartholomew, Bremner, Brunk, "Statistical Inference under Order Restrictions",
///         Wiley 1972 (pool adjacent violators).
[[nodiscard]] TimeCurve fit_curve(std::span<const CollectiveMeasurement> rows);

/// Fits a curve to each (kind, ranks) of `measured`, holding out every third size: the sizes of a
/// curve, ascending from 0, whose index modulo 3 is `held_out_phase`.
///
/// The profile's bands come from all three phases, so that each row is predicted once by a curve
/// that did not see it; second modes do not count. transfer_p90 is that of predicting each curve
/// with the constants of the one with most ranks. Order of the rows does not matter.
/// Precondition: not empty, one system and library, no (kind, ranks, size) twice, at least three
/// sizes of each curve that are no second modes (checked).
[[nodiscard]] CollectiveFit fit_collectives(std::vector<CollectiveMeasurement> measured,
                                            BytesPerSecond link_bandwidth, int held_out_phase = 2);

/// Predicts every curve but those with most ranks of their kind from the latter's constants alone.
[[nodiscard]] std::vector<CollectiveRow> transfer_to_fewer_ranks(const CollectiveFit& fit);

/// Held-out errors of one kind in one size band, over all numbers of ranks.
[[nodiscard]] HeldOutError held_out_error(std::span<const CollectiveRow> rows, CollectiveKind kind,
                                          SizeBand band, bool with_second_mode);

}  // namespace switchyard
