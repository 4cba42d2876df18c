#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "sim/core/units.hpp"

namespace switchyard {

/// Rounded to whole nanoseconds. Precondition: finite (checked).
[[nodiscard]] std::int64_t trace_nanoseconds(Seconds time);

/// `value` as a JSON number. Precondition: finite (checked).
[[nodiscard]] std::string trace_number(double value);

/// `text` quoted and escaped.
[[nodiscard]] std::string trace_string(const std::string& text);

/// Writes the events of a Chrome trace, one after the other. Times are in ns.
class TraceEvents {
 public:
  explicit TraceEvents(std::ostream& out) : out_{&out} {}

  /// @param arguments  JSON members
  void metadata(int process, int thread, std::string_view what, std::string_view arguments);

  /// Names a process and gives it its place in the list.
  void name_process(int process, const std::string& name);

  /// @param label  everything of the event but its place and time, as JSON members
  void slice(int process, int thread, std::int64_t start, std::int64_t end, std::string_view label);

  /// From `date` on, the counter `name` of a process is that many bytes.
  void counter(int process, std::int64_t date, std::string_view name, Bytes bytes);

 private:
  void begin_event();

  std::ostream* out_;
  bool is_first_ = true;
};

}  // namespace switchyard
