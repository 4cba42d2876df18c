#pragma once

#include <string>
#include <vector>

#include "sim/cli/diagnostics.hpp"
#include "sim/cli/yaml_node.hpp"

namespace switchyard {

/// A change of the run, from a case's `set` or from the sweep: a path and the value it takes.
struct Change {
  std::string path;
  Place path_place;
  const YamlNode* value = nullptr;
};

/// One point of a sweep: a value for each of its paths.
using SweepPoint = std::vector<Change>;

/// Every combination of the values that `sweep` lists, the last path changing fastest: one point
/// without changes when there is no sweep (nullptr), no point when it has problems. `sweep` must
/// outlive the points.
[[nodiscard]] std::vector<SweepPoint> sweep_points(const YamlNode* sweep, Diagnostics& diagnostics);

/// Applies a change to an experiment's root. What the experiment has as a whole (its name, its
/// cases) is refused.
void apply_change(YamlNode& root, const Change& change, Diagnostics& diagnostics);

/// The changes as a suffix of a case's name: "routing.top_k=2 batch.sequences=512".
[[nodiscard]] std::string point_name(const SweepPoint& point);

}  // namespace switchyard
