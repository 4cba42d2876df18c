#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace switchyard {

/// Recorded routing: which experts each token chose in each MoE layer, in order of preference.
struct RoutingTrace {
  std::int64_t num_tokens = 0;
  int num_layers = 0;
  int num_choices = 0;                ///< k
  int num_experts = 0;                ///< of the model; at least one more than the largest below
  std::vector<std::int32_t> experts;  ///< (num_tokens, num_layers, num_choices), row major

  [[nodiscard]] std::int32_t expert(std::int64_t token, int layer, int choice) const {
    return experts[static_cast<std::size_t>((token * num_layers + layer) * num_choices + choice)];
  }

  friend bool operator==(const RoutingTrace&, const RoutingTrace&) = default;
};

/// Reads a trace: `.npy` (NumPy format 1.0 to 3.0, C order, a type of whole numbers of 1 to 8 bytes
/// in either byte order, shape (tokens, layers, choices) or (tokens, choices) for one layer) or
/// `.csv` (header `token,layer,expert_0,expert_1,...`, a row for each token and layer, tokens and
/// layers from 0 without gaps, sorted by token, then layer; lines that begin with # are comments).
/// A choice that the gate did not make is -1.
///
/// @param num_experts  of the model; 0: what the trace says, at most 2^20.
/// @throws ConfigError with the place (byte, or line and column, or token, layer and choice): not
///         there, truncated, bytes left over, another format or type, no tokens, an expert outside,
///         the same expert twice for one token and layer, no expert at all, more than 2^31 numbers.
/// Memory: the content of the file and 4 bytes for each number in it; what a header promises is
/// believed only when the bytes are there.
[[nodiscard]] RoutingTrace read_routing_trace(const std::filesystem::path& file,
                                              int num_experts = 0);

/// The same from the content of a file; `name` is for messages and its ending names the format.
[[nodiscard]] RoutingTrace parse_routing_trace(const std::string& content, const std::string& name,
                                               int num_experts = 0);

/// Writes NumPy format 1.0 with the smallest signed type that holds the experts.
void write_routing_trace(const RoutingTrace& trace, std::ostream& npy);

}  // namespace switchyard
