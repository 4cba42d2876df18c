#include "cost_models/anchor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace switchyard {

double anchor_factor(const std::optional<Anchor>& anchor, TimeClass time_class) {
  return anchor ? anchor->factors.at(static_cast<std::size_t>(time_class)) : 1.0;
}

std::string anchor_text(const Anchor& anchor) {
  return fmt::format("{} of {} ({})", anchor.trace, anchor.date, anchor.experiment);
}

void scale_time(CollectiveSchedule& schedule, double factor) {
  schedule.startup = factor * schedule.startup;
  for (Round& round : schedule.rounds) {
    for (Flow& flow : round.flows) flow.bytes = factor * flow.bytes;
    if (round.all_pairs) round.all_pairs->bytes = factor * round.all_pairs->bytes;
  }
  schedule.proven_bound = std::min(1.0, factor) * schedule.proven_bound;
}

}  // namespace switchyard
