#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cost_models/collective_request.hpp"
#include "sim/engine/engine.hpp"

namespace switchyard {

// What the options of `switchyard net` say. Each throws ConfigError that names the option, what was
// expected and what was given.

/// Sizes such as "64 MiB", and "1 KiB..1 GiB" for all powers of two from the first to the last.
[[nodiscard]] std::vector<Bytes> parse_sizes(std::span<const std::string> texts);

/// Names of algorithms that serve `kind`.
[[nodiscard]] std::vector<CollectiveAlgorithm> parse_algorithms(CollectiveKind kind,
                                                                std::span<const std::string> names);

[[nodiscard]] std::vector<EngineKind> parse_engines(std::span<const std::string> names);

/// The ranks that `ranks` lists ("0-15", "0,2,4-7"; all when empty), cut into groups of
/// `group_size` whose ranks lie `stride` apart in the list; one group when it is 0.
/// With 16 ranks, groups of 4 and stride 2: {0, 2, 4, 6}, {1, 3, 5, 7}, {8, ...}.
[[nodiscard]] std::vector<RankGroup> parse_groups(std::string_view ranks, int group_size,
                                                  int stride, int num_ranks);

}  // namespace switchyard
