#include "kernels/run/json_object.hpp"

#include <cmath>
#include <cstdio>

#include "kernels/run/number_text.hpp"

namespace switchyard::kernels {

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

JsonObject& JsonObject::raw(std::string_view key, const std::string& json) {
  if (!members_.empty()) members_ += ",\n";
  members_ += std::string(static_cast<std::size_t>(indent_), ' ') + json_text(key) + ": " + json;
  return *this;
}

JsonObject& JsonObject::add(std::string_view key, double number) {
  return raw(key, std::isfinite(number) ? number_text(number) : "null");
}

JsonObject& JsonObject::add(std::string_view key, const std::vector<std::int64_t>& numbers) {
  std::string json = "[";
  for (const std::int64_t number : numbers)
    json += (json.size() > 1 ? ", " : "") + std::to_string(number);
  return raw(key, json + "]");
}

std::string JsonObject::text() const {
  return "{\n" + members_ + "\n" + std::string(static_cast<std::size_t>(indent_ - 2), ' ') + "}";
}

std::string json_array(const std::vector<std::string>& elements, int indent) {
  if (elements.empty()) return "[]";
  std::string json = "[";
  for (const std::string& element : elements)
    json += (json.size() > 1 ? ",\n" : "\n") + std::string(static_cast<std::size_t>(indent), ' ') +
            element;
  return json + "\n" + std::string(static_cast<std::size_t>(indent - 2), ' ') + "]";
}

}  // namespace switchyard::kernels
