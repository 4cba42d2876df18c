#include "sim/engine/bound_guard.hpp"

#include <algorithm>
#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {

void check_not_faster_than(Seconds bound, const Task& task, std::span<const Span> spans,
                           std::size_t num_rounds) {
  if (spans.empty()) return;
  const Seconds entry = std::ranges::min_element(spans, {}, &Span::start)->start;
  const Seconds exit = std::ranges::max_element(spans, {}, &Span::end)->end;

  constexpr double kRelative = 1e-9;
  constexpr Seconds kJoined{2e-12};  // at the beginning and at the end of a round
  constexpr double kClockRounding = 8 * std::numeric_limits<double>::epsilon();
  const Seconds tolerance =
      kRelative * bound + static_cast<double>(num_rounds + 1) * kJoined + kClockRounding * exit;
  SWITCHYARD_CHECK(exit - entry >= bound - tolerance,
                   "collective '{}' took {} s, but its links need {} s", task.name,
                   (exit - entry).base(), bound.base());
}

}  // namespace switchyard
