#include "sim/core/version.hpp"

#include "sim/core/version_values.hpp"  // written by cmake/write_version.cmake

namespace switchyard {

BuildInfo build_info() {
  return {.version = kVersion, .git_hash = kGitHash, .compiler = kCompiler};
}

}  // namespace switchyard
