#pragma once

#include <string>

#include "kernels/measure/points_file.hpp"

namespace switchyard::kernels {

/// The processor as the system names it; "unknown processor" where it does not.
[[nodiscard]] std::string processor_name();

/// What a points file says of this machine and build, in order; `software` is the kernels' version
/// and what they are built with.
[[nodiscard]] PointsHead machine_head(const std::string& software);

}  // namespace switchyard::kernels
