#include "sim/cli/calibration/coverage_warning.hpp"

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr int kFewest = 30;
constexpr double kLeast = 0.80;
constexpr double kMost = 0.97;
constexpr const char* kLonger =
    "measure more shapes (calibrate --budget 15min; the same folder goes on with what it has)";

}  // namespace

std::string coverage_warning(const std::vector<CalibrationRow>& rows) {
  int held_out = 0;
  int covered = 0;
  for (const CalibrationRow& row : rows) {
    if (row.role != PointRole::kHeldOut) continue;
    ++held_out;
    if (row.is_covered()) ++covered;
  }
  if (held_out == 0) return "";
  if (held_out < kFewest)
    return fmt::format(
        "note: {} held-out points are too few to say whether the 90 % intervals hold: {}\n",
        held_out, kLonger);
  const double share = static_cast<double>(covered) / held_out;
  if (share >= kLeast && share <= kMost) return "";
  return fmt::format(
      "warning: {:.0f} % of {} held-out points lie within their 90 % intervals, which are too "
      "{}: {}\n",
      100.0 * share, held_out, share < kLeast ? "narrow" : "wide", kLonger);
}

}  // namespace switchyard
