#include "sim/cli/traces/kineto_event.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace switchyard {
namespace {

constexpr double kLongest_us = 1e16;  // times may be Unix time
constexpr std::int64_t kMostElements = 1'000'000'000'000'000;

/// The value under a key; nullptr where there is none or the node is no object.
const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text(const Json& object, std::string_view key) {
  const Json* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::int64_t whole(const Json& object, std::string_view key, std::int64_t fallback) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_number_integer()) return fallback;
  return value->get<std::int64_t>();
}

std::optional<double> time(const Json& event, std::string_view key) {
  const Json* value = find(event, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->get<double>();
  if (!std::isfinite(number) || number < 0 || number > kLongest_us) return std::nullopt;
  return number;
}

std::string wrong_time(const Json& event, std::string_view key) {
  const Json* value = find(event, key);
  return fmt::format("{}: {}: expected microseconds from 0 to 1e16, got {}",
                     in_quotes(text(event, "name")), key,
                     value == nullptr ? "nothing" : in_quotes(value->dump()));
}

/// Whether parts, a list or a text like "[4, 4]", are all alike.
bool is_even(const Json& parts) {
  const std::string list = parts.is_string() ? parts.get<std::string>() : parts.dump();
  std::optional<long> first;
  for (const char* c = list.c_str(); *c != '\0';) {
    if (*c < '0' || *c > '9') {
      ++c;
      continue;
    }
    char* end = nullptr;
    const long part = std::strtol(c, &end, 10);
    if (part != first.value_or(part)) return false;
    first = part;
    c = end;
  }
  return true;
}

std::optional<TracedCollective> collective_of(const Json& args) {
  if (find(args, "Collective name") == nullptr) return std::nullopt;
  TracedCollective collective{.name = text(args, "Collective name"), .type = text(args, "dtype")};
  collective.sent_elements = whole(args, "In msg nelems", 0);
  collective.received_elements = whole(args, "Out msg nelems", 0);
  collective.ranks =
      static_cast<int>(std::clamp<std::int64_t>(whole(args, "Group size", 0), 0, 1'000'000));
  if (std::max(collective.sent_elements, collective.received_elements) > kMostElements ||
      std::min(collective.sent_elements, collective.received_elements) < 0)
    collective.sent_elements = collective.received_elements = 0;
  for (const char* key : {"In split size", "Out split size"})
    if (const Json* parts = find(args, key); parts != nullptr && !is_even(*parts))
      collective.is_uneven = true;
  return collective;
}

std::vector<std::vector<std::int64_t>> shapes_of(const Json& args) {
  std::vector<std::vector<std::int64_t>> shapes;
  const Json* dims = find(args, "Input Dims");
  if (dims == nullptr || !dims->is_array()) return shapes;
  for (const Json& shape : *dims) {
    shapes.emplace_back();
    if (!shape.is_array()) continue;
    for (const Json& size : shape)
      shapes.back().push_back(size.is_number_integer() ? size.get<std::int64_t>() : -1);
  }
  return shapes;
}

void add_operator(const Json& event, const Json& args, GpuTrace& trace) {
  TracedOperator op{.name = text(event, "name"), .shapes = shapes_of(args)};
  if (const Json* types = find(args, "Input type"); types != nullptr && types->is_array())
    for (const Json& type : *types)
      op.types.push_back(type.is_string() ? type.get<std::string>() : "");
  op.collective = collective_of(args);
  const std::int64_t external_id = whole(args, "External id", -1);
  if (external_id >= 0) trace.operators[external_id] = std::move(op);
}

}  // namespace

std::string add_kineto_event(const Json& event, GpuTrace& trace) {
  const std::string kind = text(event, "cat");
  const std::string name = text(event, "name");
  const bool is_kernel = kind == "kernel" || kind == "gpu_memcpy" || kind == "gpu_memset";
  const bool is_launch = kind == "cuda_runtime" || kind == "cuda_driver";
  const bool is_step = kind == "user_annotation" && name.starts_with("ProfilerStep#");
  const bool is_operator = kind == "cpu_op";
  if (text(event, "ph") != "X" || !(is_kernel || is_launch || is_step || is_operator)) return "";
  const Json* args = find(event, "args");
  static const Json kNone = Json::object();
  if (args == nullptr) args = &kNone;
  if (is_operator) {
    add_operator(event, *args, trace);
    return "";
  }
  const auto start = time(event, "ts");
  const auto duration = time(event, "dur");
  if (!start) return wrong_time(event, "ts");
  if (!duration) return wrong_time(event, "dur");
  const std::int64_t external_id = whole(*args, "External id", -1);
  const std::int64_t correlation = whole(*args, "correlation", -1);
  if (is_launch && correlation >= 0)
    trace.launches[correlation] = {.start_us = *start, .external_id = external_id};
  if (is_launch) return "";
  if (is_step)
    trace.steps.push_back({.name = name, .start_us = *start, .duration_us = *duration});
  else
    trace.kernels.push_back({.name = name,
                             .start_us = *start,
                             .duration_us = *duration,
                             .device = static_cast<int>(whole(*args, "device", 0) & 0xFFFF),
                             .external_id = external_id,
                             .correlation = correlation,
                             .collective = collective_of(*args)});
  return "";
}

void read_kineto_device(const Json& root, GpuTrace& trace) {
  const Json* devices = find(root, "deviceProperties");
  if (devices == nullptr || !devices->is_array() || devices->empty()) return;
  trace.device = text(devices->front(), "name");
  const std::int64_t multiprocessors = whole(devices->front(), "numSms", 0);
  if (multiprocessors > 0 && multiprocessors < 10'000)
    trace.multiprocessors = static_cast<int>(multiprocessors);
}

}  // namespace switchyard
