#pragma once

#include <algorithm>
#include <vector>

#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// Bytes that each rank sends and receives in the whole schedule.
struct RankBytes {
  std::vector<Bytes> sent;
  std::vector<Bytes> received;
};

inline RankBytes rank_bytes(const CollectiveSchedule& schedule, int ranks) {
  RankBytes bytes{.sent = std::vector<Bytes>(static_cast<std::size_t>(ranks)),
                  .received = std::vector<Bytes>(static_cast<std::size_t>(ranks))};
  for (const Round& round : schedule.rounds)
    for_each_message(round, ranks, [&](const Flow& flow) {
      bytes.sent[flow.source.index()] += round.repeat * flow.bytes;
      bytes.received[flow.destination.index()] += round.repeat * flow.bytes;
    });
  return bytes;
}

inline Bytes total_bytes(const CollectiveSchedule& schedule, int ranks) {
  Bytes sum;
  for (const Bytes sent : rank_bytes(schedule, ranks).sent) sum += sent;
  return sum;
}

/// reach[r][s]: whether something that rank s had at the beginning can be on rank r at the end,
/// when every message carries all that its sender knew before the round.
inline std::vector<std::vector<bool>> reach(const CollectiveSchedule& schedule, int ranks) {
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::vector<bool>> knows(n, std::vector<bool>(n));
  for (std::size_t r = 0; r < n; ++r) knows[r][r] = true;
  for (const Round& round : schedule.rounds) {
    for (int k = 0; k < std::min(round.repeat, ranks); ++k) {
      const auto before = knows;
      for_each_message(round, ranks, [&](const Flow& flow) {
        for (std::size_t s = 0; s < n; ++s)
          if (before[flow.source.index()][s]) knows[flow.destination.index()][s] = true;
      });
    }
  }
  return knows;
}

/// Plays an all-gather of n equal parts: each message carries parts that its sender had before the
/// round and its receiver lacks and is not sent by another, lowest first, as many as its bytes
/// hold. Returns the number of parts that each rank has at the end; a part is `part` bytes. With
/// reversed time and turned messages it also is the test of a reduce-scatter: a sum goes the way
/// back of the copies.
inline std::vector<int> gathered_parts(const CollectiveSchedule& schedule, int ranks, Bytes part) {
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::vector<bool>> has(n, std::vector<bool>(n));
  for (std::size_t r = 0; r < n; ++r) has[r][r] = true;
  for (const Round& round : schedule.rounds) {
    for (int k = 0; k < round.repeat; ++k) {
      const auto before = has;
      for_each_message(round, ranks, [&](const Flow& flow) {
        auto parts = static_cast<int>(flow.bytes / part + 0.5);
        std::vector<bool>& receiver = has[flow.destination.index()];
        for (std::size_t p = 0; p < n && parts > 0; ++p) {
          if (!before[flow.source.index()][p] || receiver[p]) continue;
          receiver[p] = true;
          --parts;
        }
      });
    }
  }
  std::vector<int> counts;
  for (const auto& row : has) counts.push_back(static_cast<int>(std::ranges::count(row, true)));
  return counts;
}

}  // namespace switchyard
