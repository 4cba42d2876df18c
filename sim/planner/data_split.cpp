#include "sim/planner/data_split.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

const std::string& text(const TableRow& row, const std::string& column) {
  const auto found = row.find(column);
  if (found == row.end()) throw ConfigError(fmt::format("no column is called \"{}\"", column));
  return found->second;
}

double number(const TableRow& row, const std::string& column) {
  const std::string& field = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size())
    throw ConfigError(fmt::format("{}: expected a number, got \"{}\"", column, field));
  return value;
}

bool is_taken(const SplitRule& rule, const TableRow& row) {
  return std::ranges::all_of(rule.where, [&](const auto& condition) {
    return std::ranges::count(condition.second, text(row, condition.first)) > 0;
  });
}

std::vector<std::string> texts(const TableRow& row, const std::vector<std::string>& columns) {
  std::vector<std::string> result;
  for (const std::string& column : columns) result.push_back(text(row, column));
  return result;
}

std::vector<double> numbers(const TableRow& row, const std::vector<std::string>& columns) {
  std::vector<double> result;
  for (const std::string& column : columns) result.push_back(number(row, column));
  return result;
}

std::vector<bool> rows_of_rule(const SplitRule& rule, std::span<const TableRow> rows) {
  std::map<std::vector<std::string>, std::set<std::vector<double>>> values;
  if (rule.every > 0)
    for (const TableRow& row : rows)
      if (is_taken(rule, row)) values[texts(row, rule.within)].insert(numbers(row, rule.of));
  std::vector<bool> holds;
  for (const TableRow& row : rows) {
    bool is_one = is_taken(rule, row);
    if (is_one && rule.every > 0) {
      const auto& of_group = values.at(texts(row, rule.within));
      const auto place = std::distance(of_group.begin(), of_group.find(numbers(row, rule.of)));
      is_one = place % rule.every == rule.index;
    }
    holds.push_back(is_one);
  }
  return holds;
}

}  // namespace

const char* split_role_name(SplitRole role) {
  switch (role) {
    case SplitRole::kFit:
      return "fit";
    case SplitRole::kDevelopment:
      return "development";
    case SplitRole::kSealed:
      break;
  }
  return "sealed";
}

std::vector<SplitRole> assign_roles(std::span<const SplitRule> rules,
                                    std::span<const TableRow> rows) {
  std::vector<std::optional<SplitRole>> roles(rows.size());
  for (const SplitRule& rule : rules) {
    const std::vector<bool> holds = rows_of_rule(rule, rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (holds[i] && !roles[i]) roles[i] = rule.role;
  }
  std::vector<SplitRole> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!roles[i]) throw ConfigError(fmt::format("no rule gives row {} a role", i + 1));
    result.push_back(*roles[i]);
  }
  return result;
}

}  // namespace switchyard
