#pragma once

#include <string>

namespace switchyard {

/// What a file of measurements can be.
enum class MeasuredFormat { kPoints, kNcclTests, kOperators, kKineto, kNsight };

/// Tells by its text what a file is.
/// @throws ConfigError with the five kinds there are and how to get them.
[[nodiscard]] MeasuredFormat measured_format(const std::string& text, const std::string& file);

}  // namespace switchyard
