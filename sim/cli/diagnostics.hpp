#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard {

/// Where YAML came from: a file, or an option of the command line, which has no lines.
struct Source {
  std::string name;
  bool has_lines = true;
};

/// A position in a source, both numbers counted from 1. Columns count bytes, as compilers do.
struct Place {
  std::shared_ptr<const Source> source = {};
  int line = 1;
  int column = 1;
};

/// "ep_sweep.yaml:6:3", or just the name for a source without lines.
[[nodiscard]] std::string to_string(const Place& place);

/// Problems of one run's input, collected so that the user sees all of them at once. One run may
/// read several files: every problem names its own.
class Diagnostics {
 public:
  /// @param key_path  dotted path of the key concerned; empty for the document as a whole.
  void add(const Place& place, std::string_view key_path, std::string_view text);

  /// Gives the place's source its turn in report(), should it have problems.
  void note_source(const Place& place);

  [[nodiscard]] std::size_t count() const { return problems_.size(); }

  /// One line per problem, "file:line:column: key.path: text". Files come in the order in which
  /// they were noted or first had a problem, options last; within a file the order is that of the
  /// file. A problem found twice is told once; past 100 lines there is only a count.
  [[nodiscard]] std::string report() const;

  /// @throws ConfigError with report(); nothing when there is no problem.
  void throw_if_any() const;

 private:
  struct Problem {
    Place place;
    std::size_t source_order = 0;
    std::string line;
  };
  std::size_t source_order(const Place& place);

  std::vector<Problem> problems_;
  std::vector<std::string> source_names_;
};

}  // namespace switchyard
