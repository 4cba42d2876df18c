#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/core/random.hpp"

namespace switchyard {

/// Which of several equally good ways a message takes.
///
/// kStatic: by its destination alone, in turn (D-mod-K: destination d takes way d mod k), so that
///          the messages of a uniform all-to-all spread evenly.
/// kEcmp:   by a hash of source, destination and a seed, as switches hash the header of a flow:
///          even on average, with collisions.
/// Source: Zahavi, "D-Mod-K routing providing non-blocking traffic for shift permutations on real
///         life fat trees", CCIT report 776, Technion, 2010; Hopps, RFC 2992, 2000 (ECMP).
enum class PathChoice { kStatic, kEcmp };

/// How ways are chosen; `seed` matters to kEcmp only.
struct PathChoiceSpec {
  PathChoice kind = PathChoice::kStatic;
  std::uint64_t seed = 0;
};

/// A number that is the same for all messages between two ends; its remainder chooses the way.
[[nodiscard]] inline std::uint64_t choice_number(const PathChoiceSpec& choice, std::size_t source,
                                                 std::size_t destination) {
  if (choice.kind == PathChoice::kStatic) return destination;
  return splitmix64(splitmix64(choice.seed ^ (std::uint64_t{source} << 32)) ^ destination);
}

}  // namespace switchyard
