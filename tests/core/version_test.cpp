#include "sim/core/version.hpp"

#include <gmock/gmock.h>

namespace switchyard {
namespace {

using testing::ContainsRegex;

TEST(BuildInfo, NamesVersionSourceAndCompiler) {
  const BuildInfo info = build_info();
  EXPECT_THAT(std::string{info.version}, ContainsRegex("^[0-9]+\\.[0-9]+\\.[0-9]+$"));
  EXPECT_THAT(std::string{info.git_hash}, ContainsRegex("^([0-9a-f]+(-dirty)?|unknown)$"));
  EXPECT_THAT(std::string{info.compiler}, ContainsRegex("^[A-Za-z]+ [0-9.]+$"));
}

}  // namespace
}  // namespace switchyard
