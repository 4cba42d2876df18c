#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/core/units.hpp"

namespace switchyard {

/// A row of an area of validation as trivial predictions see it.
struct BaselineRow {
  std::string group;  ///< rows of one group share constants
  Seconds limit;      ///< what the datasheet allows
  Seconds measured;
  bool is_fit = false;  ///< constants come from these
};

/// limit / efficiency of its group, fitted as our models are: least squares of the logarithmic
/// error, growing linearly beyond 5 %. Precondition: rows to fit to in each group (checked).
[[nodiscard]] std::vector<Seconds> one_efficiency(std::span<const BaselineRow> rows);

/// startup + limit / share, both of its group, fitted likewise. Precondition: as above.
[[nodiscard]] std::vector<Seconds> one_startup_and_rate(std::span<const BaselineRow> rows);

}  // namespace switchyard
