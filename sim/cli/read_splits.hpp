#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/cli/section.hpp"
#include "sim/planner/data_split.hpp"

namespace switchyard {

/// Roles of the rows of one CSV file in experiments/reference.
struct TableSplit {
  std::string file;                   ///< beside splits.yaml
  std::string as;                     ///< the command whose code has the same rule, or nothing
  std::vector<std::string> cases_in;  ///< experiments that say the roles of some of its rows
  std::vector<SplitRule> rules;
};

/// How many rows of each role an experiment file publishes.
struct ExperimentSplit {
  std::string file;  ///< from the root
  int num_fit = 0;
  int num_development = 0;
};

/// What experiments/reference/splits.yaml says.
struct Splits {
  std::vector<TableSplit> tables;
  std::vector<ExperimentSplit> experiments;
};

[[nodiscard]] Splits read_splits(Section section);

/// The rows of a CSV file, as assign_roles() takes them. @throws ConfigError
[[nodiscard]] std::vector<TableRow> table_rows(const std::filesystem::path& file);

/// The roles of the rows of `file`, in order, by splits.yaml in its folder.
/// @throws ConfigError when there is no such file, or it does not name `file`.
[[nodiscard]] std::vector<SplitRole> roles_of_rows(const std::filesystem::path& file);

}  // namespace switchyard
