#pragma once

#include <string>
#include <utility>
#include <vector>

namespace switchyard::kernels {

/// What the lines of a measured file hold for, in order: {"device", "..."}.
using PointsHead = std::vector<std::pair<std::string, std::string>>;

/// What stands between the commas of a line. No cell has a comma.
[[nodiscard]] std::vector<std::string> cells_of(const std::string& line);

/// "# device: ...", a line for each.
[[nodiscard]] std::string head_lines(const PointsHead& head);

/// Refuses a head line of a file that another machine, build or setting wrote; when it was started
/// may differ.
/// @throws KernelError (kSpec)
void require_same_head(const std::string& path, const std::string& line, const PointsHead& head);

/// Refuses a file that was measured with another number of threads than the head says, if it says
/// one: what is fitted to it would be of neither.
/// @throws KernelError (kSpec) with both numbers
void require_same_threads(const std::string& path, const std::string& threads,
                          const PointsHead& head);

/// @throws KernelError (kSpec) with what the system says; for a stream that has just failed
[[noreturn]] void cannot_write_points(const std::string& path);

}  // namespace switchyard::kernels
