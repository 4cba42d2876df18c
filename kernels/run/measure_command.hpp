#pragma once

#include <string>
#include <vector>

namespace switchyard::kernels {

/// switchyard-kernels measure. @returns the exit status: 3 when it was interrupted
/// @throws KernelError kSpec for options that cannot be, and what measure_machine() throws
[[nodiscard]] int measure_command(const std::vector<std::string>& arguments,
                                  const std::string& version);

/// Seconds of "3min", "90 s", "1.5h" or "180".
/// @throws KernelError (kSpec) for anything else
[[nodiscard]] double duration_of(const std::string& text);

/// Kernels and what they are built with, for the head of a points file.
[[nodiscard]] std::string software_text(const std::string& version);

}  // namespace switchyard::kernels
