#pragma once

#include <string>
#include <vector>

#include "kernels/measure/measure.hpp"

namespace switchyard::kernels {

/// Exit status of what SIGINT or SIGTERM ended, and the same command goes on with.
inline constexpr int kInterruptedStatus = 3;

/// measure_machine() with a progress bar on a terminal, stopped by SIGINT and SIGTERM, and a
/// summary on stderr.
[[nodiscard]] MeasureResult measure_and_tell(MeasureSpec spec, bool is_quiet);

/// switchyard-kernels measure. @returns the exit status: kInterruptedStatus when it was
/// interrupted, which it says unless asked to be quiet
/// @throws KernelError kSpec for options that cannot be, and what measure_machine() throws
[[nodiscard]] int measure_command(const std::vector<std::string>& arguments);

/// Seconds of "3min", "90 s", "1.5h" or "180".
/// @throws KernelError (kSpec) for anything else
[[nodiscard]] double duration_of(const std::string& text);

/// Kernels and what they are built with, for the head of a points file.
[[nodiscard]] std::string software_text();

}  // namespace switchyard::kernels
