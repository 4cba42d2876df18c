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
  int num_experts = 0;                ///< one more than the largest expert that occurs, at least
  std::vector<std::int32_t> experts;  ///< (num_tokens, num_layers, num_choices), row major

  [[nodiscard]] std::int32_t expert(std::int64_t token, int layer, int choice) const {
    return experts[static_cast<std::size_t>((token * num_layers + layer) * num_choices + choice)];
  }
};

/// Reads a trace: `.npy` (NumPy format 1.0 to 3.0, C order, an integer type, shape (tokens, layers,
/// choices) or (tokens, choices) for one layer) or `.csv` (header `token,layer,expert_0,expert_1,
/// ...`, a row for each token and layer, tokens and layers from 0 without gaps, sorted).
/// A choice that the gate did not make is -1.
///
/// @param num_experts  of the model; 0: what the trace says.
/// @throws ConfigError with the place: not there, truncated, another format or type, an expert
///         outside, the same expert twice for one token, too large (2^31 numbers).
[[nodiscard]] RoutingTrace read_routing_trace(const std::filesystem::path& file,
                                              int num_experts = 0);

/// The same from the content of a file; `name` is for messages and its ending names the format.
[[nodiscard]] RoutingTrace parse_routing_trace(const std::string& content, const std::string& name,
                                               int num_experts = 0);

/// Writes NumPy format 1.0 with the smallest signed type that holds the experts.
void write_routing_trace(const RoutingTrace& trace, std::ostream& npy);

}  // namespace switchyard
