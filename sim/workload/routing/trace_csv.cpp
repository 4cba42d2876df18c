#include "sim/workload/routing/trace_csv.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "sim/core/error.hpp"
#include "sim/workload/routing/expert_rows.hpp"

namespace switchyard {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 24;
  return fmt::format("{:?}{}", text.substr(0, kLongest), text.size() > kLongest ? "..." : "");
}

/// One field of a line at a time, and where it stands.
class CsvCursor {
 public:
  CsvCursor(std::string_view text, const std::string& name) : text_{text}, name_{name} {}

  /// Goes to the next line that is no comment; false at the end of the file.
  bool next_line() {
    while (next_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', next_), text_.size());
      line_ = text_.substr(next_, end - next_);
      if (line_.ends_with('\r')) line_.remove_suffix(1);
      next_ = end + 1;
      ++line_number_;
      if (line_.starts_with('#')) continue;
      field_begin_ = 0;
      field_end_ = static_cast<std::size_t>(-1);
      return true;
    }
    return false;
  }

  /// The next field of the line; none after the last.
  std::optional<std::string_view> next_field() {
    if (field_end_ == line_.size()) return std::nullopt;
    field_begin_ = field_end_ + 1;
    field_end_ = std::min(line_.find(',', field_begin_), line_.size());
    return line_.substr(field_begin_, field_end_ - field_begin_);
  }

  [[nodiscard]] std::size_t line_number() const { return line_number_; }

  /// At the field that was read last.
  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError(fmt::format("{}:{}:{}: {}", name_, line_number_, field_begin_ + 1, what));
  }

 private:
  std::string_view text_;
  const std::string& name_;
  std::size_t next_ = 0;
  std::size_t line_number_ = 0;
  std::string_view line_;
  std::size_t field_begin_ = 0;
  std::size_t field_end_ = 0;  ///< of the last field; -1 before the first
};

/// Reads "token,layer,expert_0,expert_1,..."; returns the number of choices.
int read_header(CsvCursor& csv) {
  int num_choices = -2;
  while (const auto field = csv.next_field()) {
    const std::string expected = num_choices == -2   ? "token"
                                 : num_choices == -1 ? "layer"
                                                     : fmt::format("expert_{}", num_choices);
    if (*field != expected)
      csv.fail(
          fmt::format("expected the header token,layer,expert_0,expert_1,... and here \"{}\", "
                      "got {}",
                      expected, quoted(*field)));
    ++num_choices;
  }
  if (num_choices < 1)
    csv.fail("expected the header token,layer,expert_0,expert_1,..., not all is there");
  return num_choices;
}

std::int64_t read_number(CsvCursor& csv, const std::string& column) {
  const auto field = csv.next_field();
  if (!field) csv.fail(fmt::format("the line ends before its field {}", column));
  std::int64_t value = 0;
  const char* const end = field->data() + field->size();
  const auto [after, error] = std::from_chars(field->data(), end, value);
  if (error != std::errc{} || after != end)
    csv.fail(fmt::format("{}: expected a whole number, got {}", column, quoted(*field)));
  return value;
}

}  // namespace

RoutingTrace parse_trace_csv(std::string_view text, const std::string& name, int num_experts) {
  CsvCursor csv{text, name};
  if (!csv.next_line())
    throw ConfigError(fmt::format(
        "{}:1:1: expected the header token,layer,expert_0,expert_1,..., the file is empty", name));
  RoutingTrace trace;
  trace.num_choices = read_header(csv);
  std::vector<std::string> columns;
  for (int choice = 0; choice < trace.num_choices; ++choice)
    columns.push_back(fmt::format("expert_{}", choice));

  ExpertRows rows{trace.num_choices, num_experts};
  std::int64_t token = 0;
  std::int64_t layer = 0;  // of the row to come
  while (csv.next_line()) {
    if (static_cast<std::int64_t>(rows.experts().size()) > kMostTraceNumbers - trace.num_choices)
      csv.fail(fmt::format("expected at most {} choices: split the trace", kMostTraceNumbers));
    const std::int64_t row_token = read_number(csv, "token");
    // The second token tells how many layers there are.
    if (token == 0 && layer > 0 && row_token == 1) trace.num_layers = static_cast<int>(layer);
    if (layer == trace.num_layers && layer > 0) {
      layer = 0;
      ++token;
    }
    if (row_token != token)
      csv.fail(
          fmt::format("token: expected {}, got {}: rows are sorted by token, then layer, "
                      "without gaps",
                      token, row_token));
    const std::int64_t row_layer = read_number(csv, "layer");
    if (row_layer != layer)
      csv.fail(
          fmt::format("layer: expected {}, got {}: rows are sorted by token, then layer, "
                      "without gaps, with as many layers for each token",
                      layer, row_layer));
    for (const std::string& column : columns)
      if (const auto problem = rows.add(read_number(csv, column)))
        csv.fail(fmt::format("{}: {}", column, *problem));
    if (csv.next_field())
      csv.fail(fmt::format("expected {} fields, got more", trace.num_choices + 2));
    ++layer;
  }
  if (trace.num_layers == 0) trace.num_layers = static_cast<int>(layer);
  if (layer == 0)
    throw ConfigError(fmt::format("{}:{}:1: expected at least one token after the header, got none",
                                  name, csv.line_number() + 1));
  if (layer != trace.num_layers)
    throw ConfigError(
        fmt::format("{}:{}:1: the file ends after layer {} of token {}, expected {} "
                    "layers: it is truncated",
                    name, csv.line_number() + 1, layer - 1, token, trace.num_layers));
  trace.num_tokens = token + 1;
  trace.num_experts = rows.num_experts();
  trace.experts = std::move(rows.experts());
  return trace;
}

}  // namespace switchyard
