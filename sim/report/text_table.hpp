#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace switchyard {

enum class Alignment { kLeft, kRight };

/// A column of a table; '\n' in the heading starts a further line of it.
struct TableColumn {
  std::string heading;
  Alignment alignment = Alignment::kRight;
};

/// A table for a terminal. Each row has a cell for each column (checked when formatted).
struct TextTable {
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Columns side by side, headings over a rule, no spaces at line ends, '\n' after each line.
///
/// Two spaces separate columns, one when only that fits `max_width`. A table that is still wider is
/// cut into several, one below the other, each beginning with the first column. Width is counted in
/// code points of UTF-8. A first column and one other that are wider than `max_width` stay so.
[[nodiscard]] std::string format(const TextTable& table, std::size_t max_width);

}  // namespace switchyard
