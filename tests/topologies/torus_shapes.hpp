#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "topologies/torus.hpp"

namespace switchyard {

/// A torus (or mesh) all of whose cables are alike.
inline TorusSpec torus_of(const std::vector<int>& lengths, const LinkSpec& cable,
                          int ranks_per_router = 1, bool wrap = true) {
  TorusSpec spec;
  for (const int length : lengths)
    spec.dimensions.push_back({.length = length, .wrap = wrap, .link = cable});
  spec.ranks_per_router = ranks_per_router;
  return spec;
}

/// "4x8x2torus" or "4x8x2mesh": how GoogleTest shows and names a parameter.
inline std::string shape_name(const TorusSpec& spec) {
  std::string name;
  for (const TorusDimension& dimension : spec.dimensions)
    name += fmt::format("{}x", dimension.length);
  const bool closed = std::ranges::all_of(spec.dimensions, &TorusDimension::wrap);
  return fmt::format("{}{}{}", name, spec.ranks_per_router, closed ? "torus" : "mesh");
}

inline std::string shape_test_name(const ::testing::TestParamInfo<TorusSpec>& shape) {
  return shape_name(shape.param);
}

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
inline void PrintTo(const TorusSpec& spec, std::ostream* out) { *out << shape_name(spec); }

}  // namespace switchyard
