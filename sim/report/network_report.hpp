#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/engine/collective_result.hpp"

namespace switchyard {

/// One collective on one system, timed by one engine.
struct NetworkRow {
  std::string system;
  int num_ranks = 0;   ///< of the system
  int num_groups = 1;  ///< running at once
  int group_size = 0;  ///< ranks of each
  CollectiveKind kind = CollectiveKind::kAllToAll;
  Bytes size;                   ///< S of nccl-tests; see CollectiveKind
  double lognormal_sigma = 0;   ///< of the bytes between pairs; 0 is uniform
  bool chosen_by_auto = false;  ///< the algorithm
  EngineKind engine = EngineKind::kAnalytic;
  CollectiveResult result;
  std::optional<Seconds> cpu_time;  ///< of the engine, where asked for
};

/// All that `switchyard net` says.
struct NetworkReport {
  std::uint64_t seed = 0;
  std::vector<NetworkRow> rows;
};

/// A table for a terminal: time, bound, bound_ratio = time / bound, algbw and busbw of each row.
[[nodiscard]] std::string format_table(const NetworkReport& report);

/// A comment line as in to_csv() of a run, a header and a line for each row. Columns end in their
/// unit; `cpu_s` is there only where a row has it.
[[nodiscard]] std::string to_csv(const NetworkReport& report);

[[nodiscard]] nlohmann::ordered_json to_json(const NetworkReport& report);

}  // namespace switchyard
