#pragma once

#include <span>
#include <vector>

#include "cost_models/collective_schedule.hpp"

namespace switchyard {

/// One stage of a pipeline: a chunk passes stage s in round s after it entered.
using Stage = std::vector<Flow>;

/// Rounds of a pipeline through which `num_chunks` chunks go one behind the other:
///
///   round t, 0 <= t < num_chunks + stages - 1, has the flows of all stages s with
///   0 <= t - s < num_chunks
///
/// Rounds that are the same become one with `repeat`. Flows carry the bytes of one chunk.
[[nodiscard]] std::vector<Round> pipelined(std::span<const Stage> stages, int num_chunks);

/// Several schedules at once: round k of each at the same time. Those that are done no longer send.
[[nodiscard]] std::vector<Round> side_by_side(std::span<const std::vector<Round>> parts);

/// Flows of equal ends added up, in the order of the first of each; those that cross nothing left
/// out.
[[nodiscard]] std::vector<Flow> merged(std::span<const Flow> flows);

/// Appends `rounds` last one first. What a reduce-scatter sends, an all-gather sends in this order
/// (and the other way, see mirrored()).
void append_reversed(std::vector<Round>& rounds, std::span<const Round> reversed);

/// The rounds with every flow going back, last round first.
[[nodiscard]] std::vector<Round> mirrored(std::span<const Round> rounds);

}  // namespace switchyard
