#include "cost_models/collective_schedule.hpp"

#include <algorithm>

namespace switchyard {

std::int64_t num_rounds(const CollectiveSchedule& schedule) {
  std::int64_t rounds = 0;
  for (const Round& round : schedule.rounds) rounds += round.repeat;
  return rounds;
}

std::int64_t num_messages(const Round& round, int num_ranks) {
  std::int64_t messages = std::ranges::count_if(round.flows, crosses_network);
  if (round.all_pairs && round.all_pairs->bytes > Bytes{0})
    messages += static_cast<std::int64_t>(num_ranks) * (num_ranks - 1);
  return messages;
}

}  // namespace switchyard
