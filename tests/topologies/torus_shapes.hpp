#pragma once

#include <ostream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "topologies/torus.hpp"

namespace switchyard {

/// "4x8x2torus" or "4x8x2mesh": how GoogleTest shows and names a parameter.
inline std::string shape_name(const TorusSpec& spec) {
  return fmt::format("{}x{}x{}{}", spec.width, spec.height, spec.ranks_per_router,
                     spec.wrap ? "torus" : "mesh");
}

inline std::string shape_test_name(const ::testing::TestParamInfo<TorusSpec>& shape) {
  return shape_name(shape.param);
}

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
inline void PrintTo(const TorusSpec& spec, std::ostream* out) { *out << shape_name(spec); }

}  // namespace switchyard
