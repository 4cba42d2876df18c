#include "sim/cli/calibration/import/unused_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/report/csv_text.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostRows = 12;
constexpr std::size_t kLongestName = 60;
constexpr std::size_t kWidth = 160;

std::vector<const UnusedTime*> by_total(const std::vector<UnusedTime>& unused) {
  std::vector<const UnusedTime*> rows;
  for (const UnusedTime& time : unused) rows.push_back(&time);
  std::ranges::stable_sort(rows, std::ranges::greater{}, &UnusedTime::total_s);
  return rows;
}

}  // namespace

std::string format_unused(const std::vector<UnusedTime>& unused) {
  if (unused.empty()) return "";
  TextTable table;
  table.columns = {{"not used", Alignment::kLeft},
                   {"calls"},
                   {"median\nus"},
                   {"total\nms"},
                   {"because", Alignment::kLeft}};
  std::vector<const UnusedTime*> rows = by_total(unused);
  const std::size_t more = rows.size() - std::min(rows.size(), kMostRows);
  rows.resize(rows.size() - more);
  for (const UnusedTime* row : rows)
    table.rows.push_back({csv_comment(row->name.substr(0, kLongestName)),
                          fmt::format("{}", row->calls), fmt::format("{:.2f}", 1e6 * row->median_s),
                          fmt::format("{:.3f}", 1e3 * row->total_s), row->reason});
  std::string text = "\n" + format(table, kWidth);
  if (more > 0) text += fmt::format("and {} more\n", more);
  return text;
}

std::string unused_csv(const std::vector<UnusedTime>& unused) {
  std::string text = "name,reason,calls,median_s,total_s,file\n";
  for (const UnusedTime* row : by_total(unused))
    text +=
        fmt::format("{},{},{},{:.9g},{:.9g},{}\n", csv_quoted(row->name), csv_quoted(row->reason),
                    row->calls, row->median_s, row->total_s, csv_quoted(row->file));
  return text;
}

}  // namespace switchyard
