#include "sim/report/text_table.hpp"

#include <algorithm>
#include <string_view>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not a continuation byte
  }));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  lines.push_back(text);
  return lines;
}

std::size_t column_width(const TextTable& table, std::size_t column) {
  std::size_t width = 0;
  for (const std::string_view line : lines_of(table.columns[column].heading))
    width = std::max(width, width_of(line));
  for (const auto& row : table.rows) width = std::max(width, width_of(row[column]));
  return width;
}

/// Some of a table's columns, which are printed side by side.
struct Block {
  std::vector<std::size_t> columns;
  std::size_t gap = 2;
};

void append_line(std::string& out, const TextTable& table, const Block& block,
                 const std::vector<std::size_t>& widths, auto&& cell_of) {
  std::string line;
  for (const std::size_t column : block.columns) {
    const std::string_view cell = cell_of(column);
    const std::string padding(widths[column] - width_of(cell), ' ');
    if (column != block.columns.front()) line.append(block.gap, ' ');
    if (table.columns[column].alignment == Alignment::kRight)
      line.append(padding).append(cell);
    else
      line.append(cell).append(padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out.append(line).push_back('\n');
}

void append_block(std::string& out, const TextTable& table, const Block& block,
                  const std::vector<std::size_t>& widths) {
  std::size_t heading_lines = 0;
  for (const std::size_t column : block.columns)
    heading_lines = std::max(heading_lines, lines_of(table.columns[column].heading).size());
  for (std::size_t i = 0; i < heading_lines; ++i)
    append_line(out, table, block, widths, [&](std::size_t column) {
      // Headings stand on the rule: the shorter ones begin with empty lines.
      const auto lines = lines_of(table.columns[column].heading);
      const std::size_t missing = heading_lines - lines.size();
      return i < missing ? std::string_view{} : lines[i - missing];
    });
  std::size_t width = 0;
  for (const std::size_t column : block.columns) width += widths[column] + block.gap;
  out.append(width - block.gap, '-').push_back('\n');
  for (const auto& row : table.rows)
    append_line(out, table, block, widths,
                [&](std::size_t column) { return std::string_view{row[column]}; });
}

std::vector<Block> cut(const std::vector<std::size_t>& widths, std::size_t max_width) {
  std::size_t cells = 0;
  for (const std::size_t width : widths) cells += width;
  Block all;
  for (std::size_t i = 0; i < widths.size(); ++i) all.columns.push_back(i);
  for (const std::size_t gap : {2, 1}) {
    all.gap = gap;
    if (cells + gap * (widths.size() - 1) <= max_width) return {all};
  }
  std::vector<Block> blocks;
  std::size_t used = 0;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    if (blocks.empty() || used + 2 + widths[i] > max_width) {
      blocks.push_back({.columns = {0}});
      used = widths[0];
    }
    blocks.back().columns.push_back(i);
    used += 2 + widths[i];
  }
  return blocks.empty() ? std::vector<Block>{all} : blocks;
}

}  // namespace

std::string format(const TextTable& table, std::size_t max_width) {
  SWITCHYARD_CHECK(!table.columns.empty(), "a table without columns");
  for (const auto& row : table.rows)
    SWITCHYARD_CHECK(row.size() == table.columns.size(), "{} cells in a table of {} columns",
                     row.size(), table.columns.size());
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) widths.push_back(column_width(table, i));

  std::string out;
  for (const Block& block : cut(widths, max_width)) {
    if (!out.empty()) out.push_back('\n');
    append_block(out, table, block, widths);
  }
  return out;
}

}  // namespace switchyard
