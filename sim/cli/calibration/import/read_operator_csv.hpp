#pragma once

#include <string>

#include "sim/cli/calibration/import/imported_file.hpp"

namespace switchyard {

/// Reads a CSV with the columns operator, shape, type and time_us, and where it has them p10_us,
/// p90_us, ranks, transport, role (fit, held_out or empty) and repeats. Operators and shapes are
/// those of files of points (docs/calibrating.md); types are float32, bfloat16, and float16, which
/// has as many bytes and is taken for bfloat16. Comments "# software: ...", "# device: ..." and
/// "# backend: ..." say what was measured.
/// @throws ConfigError with every problem by line and column.
[[nodiscard]] ImportedFile read_operator_csv(const std::string& text, const std::string& file);

}  // namespace switchyard
