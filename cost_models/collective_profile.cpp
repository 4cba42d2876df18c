#include "cost_models/collective_profile.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// The cost that makes `ideal` take `total` when `startup` is what no bytes cost.
TransportCost split(Seconds total, Seconds startup, Seconds ideal) {
  TransportCost cost;
  if (total <= ideal) return cost;
  const bool has_bytes = ideal > Seconds{};
  cost.byte_inflation = has_bytes ? std::max(1.0, (total - startup) / ideal) : 1.0;
  cost.startup = cost.byte_inflation > 1.0 ? startup : total - ideal;
  return cost;
}

TransportCost curve_cost(const TimeCurve& curve, Bytes size, Seconds ideal) {
  return split(curve_time(curve, size), curve_time(curve, Bytes{}), ideal);
}

}  // namespace

SizeBand size_band(Bytes size) {
  using namespace literals;
  if (size < 64_KiB) return SizeBand::kBelow64KiB;
  return size <= 4_MiB ? SizeBand::kTo4MiB : SizeBand::kAbove4MiB;
}

const char* size_band_name(SizeBand band) {
  switch (band) {
    case SizeBand::kBelow64KiB:
      return "below 64 KiB";
    case SizeBand::kTo4MiB:
      return "64 KiB to 4 MiB";
    case SizeBand::kAbove4MiB:
      return "above 4 MiB";
  }
  return "";
}

Seconds curve_time(const TimeCurve& curve, Bytes size) {
  const auto& [ranks, sizes, times] = curve;
  SWITCHYARD_CHECK(!sizes.empty() && sizes.size() == times.size(), "{} sizes, {} times",
                   sizes.size(), times.size());
  SWITCHYARD_CHECK(size >= Bytes{}, "{} B", size.base());
  if (size <= sizes.front()) return times.front();
  if (sizes.size() == 1) return times.front() * (size / sizes.front());
  const auto above = std::ranges::lower_bound(sizes, size);
  const auto right = std::min(static_cast<std::size_t>(above - sizes.begin()), sizes.size() - 1);
  const Seconds rise = times[right] - times[right - 1];
  return times[right - 1] + rise * ((size - sizes[right - 1]) / (sizes[right] - sizes[right - 1]));
}

const CollectiveTimes* find_times(const CollectiveProfile& profile, CollectiveKind kind) {
  const auto found = std::ranges::find(profile.collectives, kind, &CollectiveTimes::kind);
  return found == profile.collectives.end() ? nullptr : &*found;
}

double port_bytes_per_byte(CollectiveKind kind, int ranks) {
  SWITCHYARD_CHECK(ranks >= 1, "{} ranks", ranks);
  if (kind == CollectiveKind::kPointToPoint) return 1.0;
  const double others = (ranks - 1.0) / ranks;
  return kind == CollectiveKind::kAllReduce ? 2 * others : others;
}

TransportCost transport_cost(const CollectiveProfile& profile, CollectiveKind kind, int ranks,
                             Bytes size, Seconds ideal_transfer) {
  const CollectiveTimes* times = find_times(profile, kind);
  SWITCHYARD_CHECK(times != nullptr && !times->curves.empty(), "{} has no times of {}",
                   profile.name, collective_kind_name(kind));
  SWITCHYARD_CHECK(ranks >= 1, "{} ranks", ranks);
  if (ranks == 1) return {};

  const std::vector<TimeCurve>& curves = times->curves;
  const double band = times->held_out_p90[static_cast<std::size_t>(size_band(size))];
  const auto above = std::ranges::lower_bound(curves, ranks, {}, &TimeCurve::ranks);
  if (above != curves.end() && above->ranks == ranks) {
    TransportCost cost = curve_cost(*above, size, ideal_transfer);
    cost.provenance = size <= above->sizes.back() ? Provenance::kFitted : Provenance::kExtrapolated;
    cost.error_band = band;
    return cost;
  }

  const auto cost_of = [&](const TimeCurve& curve) {
    return curve_cost(curve, size,
                      ideal_transfer * (port_bytes_per_byte(kind, curve.ranks) /
                                        port_bytes_per_byte(kind, ranks)));
  };
  TransportCost cost;
  if (above == curves.begin()) {
    cost = cost_of(curves.front());
  } else if (above == curves.end()) {
    cost = cost_of(curves.back());
  } else {
    const TimeCurve& below = *(above - 1);
    const double share = std::log2(static_cast<double>(ranks) / below.ranks) /
                         std::log2(static_cast<double>(above->ranks) / below.ranks);
    const TransportCost low = cost_of(below);
    const TransportCost high = cost_of(*above);
    cost.startup = (1 - share) * low.startup + share * high.startup;
    cost.byte_inflation = (1 - share) * low.byte_inflation + share * high.byte_inflation;
  }
  cost.provenance = Provenance::kExtrapolated;
  cost.error_band = std::max(band, times->transfer_p90);
  return cost;
}

}  // namespace switchyard
