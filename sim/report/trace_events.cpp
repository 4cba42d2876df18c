#include "sim/report/trace_events.hpp"

#include <cmath>
#include <ostream>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/core/error.hpp"

namespace switchyard {

std::int64_t trace_nanoseconds(Seconds time) {
  SWITCHYARD_CHECK(std::isfinite(time.base()), "a time of {} s", time.base());
  return std::llround(time.base() * 1e9);
}

std::string trace_number(double value) {
  SWITCHYARD_CHECK(std::isfinite(value), "a count of {}", value);
  return fmt::format("{}", value);
}

std::string trace_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void TraceEvents::metadata(int process, int thread, std::string_view what,
                           std::string_view arguments) {
  begin_event();
  *out_ << fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{{}}}}})", process,
                       thread, what, arguments);
}

void TraceEvents::name_process(int process, const std::string& name) {
  metadata(process, 0, "process_name", fmt::format(R"("name":{})", trace_string(name)));
  metadata(process, 0, "process_sort_index", fmt::format(R"("sort_index":{})", process));
}

void TraceEvents::slice(int process, int thread, std::int64_t start, std::int64_t end,
                        std::string_view label) {
  begin_event();
  const std::int64_t duration = end - start;
  *out_ << fmt::format(R"({{"ph":"X","pid":{},"tid":{},"ts":{}.{:03},"dur":{}.{:03},{}}})", process,
                       thread, start / 1000, start % 1000, duration / 1000, duration % 1000, label);
}

void TraceEvents::counter(int process, std::int64_t date, std::string_view name, Bytes bytes) {
  begin_event();
  *out_ << fmt::format(R"({{"ph":"C","pid":{},"ts":{}.{:03},"name":"{}","args":{{"bytes":{}}}}})",
                       process, date / 1000, date % 1000, name,
                       trace_number(std::round(bytes.base())));
}

void TraceEvents::begin_event() {
  *out_ << (is_first_ ? "\n" : ",\n");
  is_first_ = false;
}

}  // namespace switchyard
