#pragma once

#include <filesystem>
#include <istream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// A line of a CSV file.
struct CsvFields {
  std::vector<std::string> fields{};
  bool ends_in_quotes = false;  ///< its last field has no quote at its end
};

/// Fields between commas, without the blanks around them. A field in quotes may have commas and
/// blanks, and "" for a quote.
/// Source: RFC 4180, but that no field has line breaks and that blanks do not count.
[[nodiscard]] CsvFields csv_fields(std::string_view line);

/// A CSV file of measurements being read row by row: the current row's fields by column, and what
/// was wrong so far. Lines that begin with '#' are comments, empty lines are skipped, and so is a
/// byte order mark.
class CsvReader {
 public:
  /// What a last line is that does not end: of files that are appended to while being read, or
  /// whose writer was stopped.
  enum class TornLine { kRead, kIgnored };

  /// Reads the header. @throws ConfigError when there is none.
  explicit CsvReader(const std::filesystem::path& file, TornLine torn_line = TornLine::kRead);

  /// Reads the header of a text. @param name  of its file, for messages
  CsvReader(std::string name, const std::string& text);

  [[nodiscard]] bool has(const std::string& column) const { return columns_.contains(column); }

  /// @throws ConfigError when one of `columns` is missing.
  void require(const std::vector<std::string>& columns) const;

  /// Goes to the next row; false at the end.
  bool next_row();

  // Of the current row. What is wrong is noted, and something possible returned instead.

  [[nodiscard]] const std::string& text(const std::string& column) const {
    return row_[columns_.at(column)];
  }
  [[nodiscard]] std::map<std::string, std::string> fields() const;  ///< by column
  double number(const std::string& column, double lowest);
  double positive(const std::string& column);
  int count(const std::string& column, int lowest = 1);

  /// Notes what is wrong with the current row.
  void problem(const std::string& what);

  [[nodiscard]] int line() const { return line_; }

  [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }

  /// @throws ConfigError with every problem noted (20 at most), each by file and line.
  void throw_if_any() const;

 private:
  void read_header();
  bool read_line();

  std::string name_;
  std::unique_ptr<std::istream> in_;
  TornLine torn_line_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> row_;
  int line_ = 0;
  std::vector<std::string> problems_;
  std::vector<std::string> comments_;
};

}  // namespace switchyard
