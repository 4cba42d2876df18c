#include "sim/cli/csv_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostProblems = 20;

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',')
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& file, TornLine torn_line)
    : name_{file.string()}, in_{file}, torn_line_{torn_line} {
  if (!in_) throw ConfigError(fmt::format("{}: cannot read", name_));
  if (!read_line()) throw ConfigError(fmt::format("{}: no header line", name_));
  const std::vector<std::string> header = row_;
  for (std::size_t i = 0; i < header.size(); ++i) columns_[header[i]] = i;
}

void CsvReader::require(const std::vector<std::string>& columns) const {
  std::vector<std::string> missing;
  std::ranges::copy_if(columns, std::back_inserter(missing),
                       [&](const std::string& column) { return !has(column); });
  if (!missing.empty())
    throw ConfigError(fmt::format("{}: missing column(s): {}", name_, fmt::join(missing, ", ")));
}

bool CsvReader::next_row() {
  if (!read_line()) return false;
  if (row_.size() != columns_.size()) {
    problem(fmt::format("expected {} fields, got {}", columns_.size(), row_.size()));
    row_.resize(columns_.size());
  }
  return true;
}

std::map<std::string, std::string> CsvReader::fields() const {
  std::map<std::string, std::string> fields;
  for (const auto& [column, place] : columns_) fields[column] = row_[place];
  return fields;
}

double CsvReader::number(const std::string& column, double lowest) {
  const std::string& field = text(column);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error == std::errc{} && end == field.data() + field.size() && std::isfinite(value) &&
      value >= lowest && value <= 1e15)
    return value;
  problem(fmt::format("{}: expected a number of at least {}, got \"{}\"", column, lowest, field));
  return std::max(lowest, 1.0);
}

double CsvReader::positive(const std::string& column) {
  const double value = number(column, 0);
  if (value > 0) return value;
  problem(fmt::format("{}: expected more than zero", column));
  return 1.0;
}

int CsvReader::count(const std::string& column, int lowest) {
  const double value = number(column, lowest);
  if (value == std::floor(value) && value <= 1e6) return static_cast<int>(value);
  problem(fmt::format("{}: expected a whole number of at most 1000000, got \"{}\"", column,
                      text(column)));
  return lowest;
}

void CsvReader::problem(const std::string& what) {
  if (problems_.size() < kMostProblems)
    problems_.push_back(fmt::format("{}:{}: {}", name_, line_, what));
}

void CsvReader::throw_if_any() const {
  if (!problems_.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems_, "\n")));
}

bool CsvReader::read_line() {
  std::string line;
  while (std::getline(in_, line)) {
    ++line_;
    if (in_.eof() && torn_line_ == TornLine::kIgnored) return false;
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with('#')) comments_.push_back(line);
    if (line.empty() || line.front() == '#') continue;
    row_ = fields_of(line);
    return true;
  }
  return false;
}

}  // namespace switchyard
