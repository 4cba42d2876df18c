#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

namespace switchyard {

/// What a published row may be used for; experiments/reference/splits.yaml says what each means.
enum class SplitRole { kFit, kDevelopment, kSealed };

/// "fit", "development" or "sealed".
[[nodiscard]] const char* split_role_name(SplitRole role);

/// A row of a table: its texts by column.
using TableRow = std::map<std::string, std::string>;

/// Gives a role to some rows of a table.
struct SplitRule {
  SplitRole role = SplitRole::kFit;
  /// The row has one of these texts in each of these columns.
  std::map<std::string, std::vector<std::string>> where = {};
  /// Above 0: of the different values of the columns `of`, as numbers ascending from index 0 among
  /// rows that `where` takes and that have equal texts in `within`, those whose index modulo
  /// `every` is `index`.
  int every = 0;
  int index = 0;
  std::vector<std::string> of = {};
  std::vector<std::string> within = {};
};

/// The role of each row: that of the first rule that holds for it.
/// @throws ConfigError when a row has no role, a column is missing or one of `of` is no number.
[[nodiscard]] std::vector<SplitRole> assign_roles(std::span<const SplitRule> rules,
                                                  std::span<const TableRow> rows);

}  // namespace switchyard
