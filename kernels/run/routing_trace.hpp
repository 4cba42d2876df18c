#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::kernels {

/// Choices of tokens, as the simulator reads them with routing kind `trace`
/// (experiments/traces/README.md).
struct RoutingTrace {
  int num_layers = 0;
  int top_k = 0;
  std::vector<std::int16_t> experts;  ///< (tokens, layers, k); -1: not made
};

[[nodiscard]] std::int64_t num_tokens(const RoutingTrace& trace);

/// Adds the tokens of one step. @param experts  (layers, T, k)
void add_step(std::span<const std::int16_t> experts, RoutingTrace& trace);

/// A NumPy file, format 1.0, of the whole trace.
/// Source: NumPy, numpy.lib.format.
[[nodiscard]] std::string npy_file(const RoutingTrace& trace);

/// What npy_file() and, of an array of int16 with three axes, numpy.save write.
/// @param name  of the file, for messages
/// @throws KeyFileError for anything else, truncated files and bytes left over
[[nodiscard]] RoutingTrace parse_npy(std::string_view content, const std::string& name);

}  // namespace switchyard::kernels
