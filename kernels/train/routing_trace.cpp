#include "kernels/train/routing_trace.hpp"

namespace switchyard::kernels {

void add_step(std::span<const std::int16_t> experts, RoutingTrace& trace) {
  const auto num_layers = static_cast<std::size_t>(trace.num_layers);
  const auto top_k = static_cast<std::size_t>(trace.top_k);
  const std::size_t num_tokens = experts.size() / (num_layers * top_k);
  for (std::size_t t = 0; t < num_tokens; ++t)
    for (std::size_t l = 0; l < num_layers; ++l) {
      const auto of_token = experts.subspan((l * num_tokens + t) * top_k, top_k);
      trace.experts.insert(trace.experts.end(), of_token.begin(), of_token.end());
    }
}

std::string npy_file(const RoutingTrace& trace) {
  const std::size_t per_token =
      static_cast<std::size_t>(trace.num_layers) * static_cast<std::size_t>(trace.top_k);
  const std::size_t num_tokens = per_token == 0 ? 0 : trace.experts.size() / per_token;
  std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': (" +
                       std::to_string(num_tokens) + ", " + std::to_string(trace.num_layers) + ", " +
                       std::to_string(trace.top_k) + "), }";
  // Magic, version and length are 10 bytes; the values begin at a multiple of 64.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += '\x01';
  file += '\0';
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  for (const std::int16_t expert : trace.experts) {
    const auto bits = static_cast<std::uint16_t>(expert);
    file += static_cast<char>(bits & 0xff);
    file += static_cast<char>(bits >> 8);
  }
  return file;
}

}  // namespace switchyard::kernels
