#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topologies/topology.hpp"

namespace switchyard {

/// What cannot be built in a spec: the field, as a dotted path in the words of the files
/// (`fabric.leaves`, `links[2].from`), and what is wrong with it. A reader of files puts the place
/// before it, a builder throws.
struct SpecProblem {
  std::string key;
  std::string text;
};
using SpecProblems = std::vector<SpecProblem>;

/// Ranks of a network, at most: analysis looks at every pair.
constexpr int kMaxRanks = 4096;

/// Adds a problem when `count` is below `minimum`.
void check_count(SpecProblems& problems, std::string_view key, int count, int minimum = 1);

/// Adds a problem when the bandwidth is not positive or the latency negative, or one not finite.
void check_link(SpecProblems& problems, std::string_view key, const LinkSpec& link);

/// Adds a problem when the product of `factors` exceeds kMaxRanks. Counts below 1 are no matter.
void check_num_ranks(SpecProblems& problems, std::string_view key, const std::vector<int>& factors);

/// Puts `parent` and a dot before the key of each problem.
[[nodiscard]] SpecProblems below(std::string_view parent, SpecProblems problems);

/// @throws ConfigError with every problem, a line each, below "`kind`:"; nothing if there is none.
void throw_if_any(std::string_view kind, const SpecProblems& problems);

}  // namespace switchyard
