#pragma once

#include <string>

#include "sim/core/error.hpp"

namespace switchyard {

/// What the ConfigError that `action` throws says; "no error" when it throws none.
template <class Action>
std::string config_error_text(Action&& action) {
  try {
    (void)action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace switchyard
