#include "sim/report/savings_table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace switchyard {

TextTable table_of_savings(const RunReport& report) {
  constexpr std::size_t kMost = 3;
  TextTable table;
  table.columns = {{"what would help most, if free", Alignment::kLeft},
                   {"first", Alignment::kLeft},
                   {"second", Alignment::kLeft},
                   {"third", Alignment::kLeft}};
  for (const CaseReport& row : report.cases) {
    std::vector<std::pair<Seconds, std::string>> savings;
    for (const ClassShare& share : row.result.breakdown)
      savings.emplace_back(share.saved_if_free, class_name(share.operator_class));
    savings.emplace_back(row.result.saved_by_launches, "host launches");
    std::erase_if(savings, [](const auto& saving) { return saving.first <= Seconds{}; });
    if (savings.empty()) continue;
    std::ranges::stable_sort(savings, std::ranges::greater{},
                             &std::pair<Seconds, std::string>::first);
    std::vector<std::string> cells = {row.name};
    for (std::size_t i = 0; i < kMost; ++i)
      cells.push_back(i < savings.size()
                          ? fmt::format("{} -{:.0f} %", savings[i].second,
                                        100.0 * (savings[i].first / row.result.step_time))
                          : "-");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace switchyard
