#pragma once

#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace switchyard {

/// The user's input cannot be used. `main` prints what() and exits with status 2.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A bug in switchyard: an invariant that no input can break was broken. Prints and aborts.
[[noreturn]] void panic(const char* file, int line, const char* condition,
                        const std::string& message);

}  // namespace switchyard

/// Aborts when `condition` is false, with the place, the condition and the message (a fmt format
/// string and its values, which are evaluated only then). Active in every build type.
#define SWITCHYARD_CHECK(condition, ...) \
  ((condition) ? void(0)                 \
               : ::switchyard::panic(__FILE__, __LINE__, #condition, fmt::format(__VA_ARGS__)))
