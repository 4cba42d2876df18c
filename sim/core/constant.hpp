#pragma once

namespace switchyard {

/// Where a number comes from; tables and JSON carry it.
enum class Provenance { kMeasured, kFitted, kExtrapolated, kDatasheet, kAssumed };
inline constexpr int kNumProvenances = 5;

[[nodiscard]] constexpr const char* provenance_name(Provenance provenance) {
  switch (provenance) {
    case Provenance::kMeasured:
      return "measured";
    case Provenance::kFitted:
      return "fitted";
    case Provenance::kExtrapolated:
      return "extrapolated";
    case Provenance::kDatasheet:
      return "datasheet";
    case Provenance::kAssumed:
      return "assumed";
  }
  return "";
}

/// A dimensionless constant of a model, with where it comes from and the range in which it is
/// plausible.
struct Constant {
  double value = 1.0;
  Provenance provenance = Provenance::kAssumed;
  double lowest = 0.0;
  double highest = 1.0;
};

/// The same with a dimension.
template <class Unit>
struct QuantityConstant {
  Unit value{};
  Provenance provenance = Provenance::kAssumed;
  Unit lowest{};
  Unit highest{};
};

}  // namespace switchyard
