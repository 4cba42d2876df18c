#pragma once

#include <optional>

#include "cost_models/build_collective.hpp"
#include "cost_models/collective_profile.hpp"

namespace switchyard {

/// A schedule as a library executes it: with its startup, and with flows that carry more bytes than
/// the payload where the library does not reach the rate of the links.
struct LibraryCollective {
  CollectiveSchedule schedule;
  double byte_inflation = 1;  ///< bytes of the flows over the payload
  /// Where startup and inflation come from; assumed (none of either) without a profile.
  Provenance provenance = Provenance::kAssumed;
  double error_band = 0;  ///< relative: 9 of 10 held-out rows were within; 0 where none is known
};

/// build_collective(), and what `profile` measured of the library put on top:
///
/// * groups within one scale-up domain each: startup and inflation as transport_cost(), where the
///   latencies of the paths count as part of the measured startup. Alone on its node the collective
///   then takes the measured time, and is slowed by what it shares links with;
/// * groups over several domains: the startup of the largest measured group, and flows inflated by
///   50/47.5, because a rank uses one network card and gets 46 to 49 GB/s of 50 (NCCL's
///   maintainers, github NVIDIA/nccl-tests issues 267 and 290). Extrapolated: the startup's share
///   of the time has the band of a number of ranks that was not measured, the rest that of 46
///   to 49.
///
/// Without a profile, or for a kind that it did not measure, the schedule as it is.
/// @throws ConfigError as build_collective().
[[nodiscard]] LibraryCollective library_collective(const CollectiveRequest& request,
                                                   const Topology& topology,
                                                   const std::optional<CollectiveProfile>& profile);

}  // namespace switchyard
