#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/cli/calibration/points_file.hpp"

namespace switchyard {

/// One `key=value` of a shape.
struct ShapeEntry {
  std::string key;
  std::string value;
};

/// "rows=5 n=2" in its parts; nullopt where one has no '='.
[[nodiscard]] std::optional<std::vector<ShapeEntry>> shape_entries(const std::string& text);

/// "all_to_all" and the like, as in files of points.
[[nodiscard]] std::optional<CollectiveKind> collective_of_name(const std::string& name);

// Read the shape into the call or layer. What is wrong with it is returned; empty: nothing.

[[nodiscard]] std::string read_shape(const std::string& text, KernelCall& call);
[[nodiscard]] std::string read_shape(const std::string& text, LayerPoint& layer);
[[nodiscard]] std::string read_shape(const std::string& text, CollectivePoint& collective);

}  // namespace switchyard
