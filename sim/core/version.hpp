#pragma once

#include <string_view>

namespace switchyard {

/// What this program was built from. Every result file and `--version` name it.
struct BuildInfo {
  std::string_view version;   ///< "0.1.0"
  std::string_view git_hash;  ///< 12 digits, "-dirty" after them when files differed; or "unknown"
  std::string_view compiler;  ///< "GNU 12.2.0"
};

[[nodiscard]] BuildInfo build_info();

}  // namespace switchyard
