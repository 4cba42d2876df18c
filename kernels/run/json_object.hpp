#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::kernels {

[[nodiscard]] std::string json_text(std::string_view text);  ///< quoted

/// A JSON object in the order in which members are added, one a line.
class JsonObject {
 public:
  /// @param indent  spaces before each member
  explicit JsonObject(int indent = 2) : indent_{indent} {}

  JsonObject& raw(std::string_view key, const std::string& json);
  JsonObject& add(std::string_view key, std::string_view text) { return raw(key, json_text(text)); }
  JsonObject& add(std::string_view key, double number);  ///< null when it is not finite
  JsonObject& add(std::string_view key, std::int64_t number) {
    return raw(key, std::to_string(number));
  }
  JsonObject& add(std::string_view key, const std::vector<std::int64_t>& numbers);

  [[nodiscard]] std::string text() const;

 private:
  int indent_;
  std::string members_;
};

/// An array, an element a line. @param indent  spaces before each element
[[nodiscard]] std::string json_array(const std::vector<std::string>& elements, int indent);

}  // namespace switchyard::kernels
