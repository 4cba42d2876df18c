#include "sim/cli/csv_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMostProblems = 20;

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return "";
  return std::string{text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1)};
}

}  // namespace

CsvFields csv_fields(std::string_view line) {
  CsvFields result;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    std::string field;
    i = std::min(line.find_first_not_of(kBlanks, i), line.size());
    if (i < line.size() && line[i] == '"') {
      for (++i; i < line.size() && (line[i] != '"' || line.substr(i, 2) == "\"\""); ++i) {
        field += line[i];
        if (line[i] == '"') ++i;
      }
      result.ends_in_quotes = i >= line.size();
      ++i;
    }
    const std::size_t end = std::min(line.find(',', i), line.size());
    if (i < end) field += trimmed(line.substr(i, end - i));
    result.fields.push_back(std::move(field));
    i = std::max(i, end);
  }
  return result;
}

CsvReader::CsvReader(const std::filesystem::path& file, TornLine torn_line)
    : name_{file.string()}, in_{std::make_unique<std::ifstream>(file)}, torn_line_{torn_line} {
  if (!*in_) throw ConfigError(fmt::format("{}: cannot read", name_));
  read_header();
}

CsvReader::CsvReader(std::string name, const std::string& text)
    : name_{std::move(name)},
      in_{std::make_unique<std::istringstream>(text)},
      torn_line_{TornLine::kRead} {
  read_header();
}

void CsvReader::read_header() {
  if (!read_line()) throw ConfigError(fmt::format("{}: no header line", name_));
  throw_if_any();
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
  while (std::getline(*in_, line)) {
    ++line_;
    if (line_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    if (in_->eof() && torn_line_ == TornLine::kIgnored) return false;
    if (line.ends_with('\r')) line.pop_back();
    if (line.starts_with('#')) comments_.push_back(line);
    if (line.find_first_not_of(kBlanks) == line.npos || line.front() == '#') continue;
    CsvFields found = csv_fields(line);
    if (found.ends_in_quotes) problem("expected a quote (\") that ends the last field");
    row_ = std::move(found.fields);
    return true;
  }
  return false;
}

}  // namespace switchyard
