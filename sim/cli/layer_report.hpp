#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "sim/cli/marked_text.hpp"
#include "sim/planner/fit_layers.hpp"

namespace switchyard {

/// Errors by role beside those of the two trivial predictions, then the constants.
[[nodiscard]] std::string layer_tables(std::span<const LayerRow> rows, const MoeLayerStack& stack);

/// Every row with its predictions.
void write_layer_csv(std::ostream& out, std::span<const LayerRow> rows);

/// The fitted lines of a file in cost_models/profiles/layers, held-out errors and `sources` in
/// comments. The same fit gives the same bytes.
[[nodiscard]] std::string layer_constants_yaml(std::span<const LayerRow> rows,
                                               const MoeLayerStack& stack,
                                               const std::vector<std::string>& sources);

/// Where they go.
[[nodiscard]] TextMarks layer_marks();

}  // namespace switchyard
