#include "kernels/run/routing_trace.hpp"

#include <charconv>
#include <limits>

#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::string_view kMagic{"\x93NUMPY\x01\0", 8};
constexpr std::string_view kBeforeShape = "{'descr': '<i2', 'fortran_order': False, 'shape': (";

/// Takes a number from 0 and what follows it off the front of the text; -1: they are not there.
std::int64_t take_length(std::string_view& text, std::string_view follows) {
  std::int64_t length = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || length < 0) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(follows)) return -1;
  text.remove_prefix(follows.size());
  return length;
}

std::size_t byte_at(std::string_view content, std::size_t place) {
  return static_cast<unsigned char>(content[place]);
}

}  // namespace

std::int64_t num_tokens(const RoutingTrace& trace) {
  const std::int64_t per_token = std::int64_t{trace.num_layers} * trace.top_k;
  return per_token == 0 ? 0 : static_cast<std::int64_t>(trace.experts.size()) / per_token;
}

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
  std::string header = std::string{kBeforeShape} + std::to_string(num_tokens(trace)) + ", " +
                       std::to_string(trace.num_layers) + ", " + std::to_string(trace.top_k) +
                       "), }";
  // Magic, version and length are 10 bytes; the values begin at a multiple of 64.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file{kMagic};
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

RoutingTrace parse_npy(std::string_view content, const std::string& name) {
  const auto fail = [&](const std::string& what) -> void {
    throw KeyFileError{name + ": " + what};
  };
  const std::string expected =
      "expected a NumPy file of int16 numbers, (tokens, layers, choices), as switchyard-kernels "
      "train --trace writes";
  if (!content.starts_with(kMagic) || content.size() < 10) fail(expected);
  const std::size_t header_size = byte_at(content, 8) + 256 * byte_at(content, 9);
  std::string_view header = content.substr(10, header_size);
  if (!header.starts_with(kBeforeShape)) fail(expected);
  header.remove_prefix(kBeforeShape.size());
  const std::int64_t tokens = take_length(header, ", ");
  const std::int64_t layers = take_length(header, ", ");
  const std::int64_t choices = take_length(header, "), }");
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (tokens < 1 || layers < 1 || choices < 1) fail(expected);
  if (layers > kMost || choices > kMost / layers || tokens > kMost / (layers * choices))
    fail("expected fewer than 2^31 numbers");
  const std::string_view numbers = content.substr(10 + header_size);
  const auto size = static_cast<std::size_t>(tokens * layers * choices);
  if (numbers.size() != 2 * size)
    fail("expected " + std::to_string(2 * size) + " bytes after the header, got " +
         std::to_string(numbers.size()));
  RoutingTrace trace{
      .num_layers = static_cast<int>(layers), .top_k = static_cast<int>(choices), .experts = {}};
  trace.experts.reserve(size);
  for (std::size_t i = 0; i < size; ++i)
    trace.experts.push_back(
        static_cast<std::int16_t>(byte_at(numbers, 2 * i) | byte_at(numbers, 2 * i + 1) << 8));
  return trace;
}

}  // namespace switchyard::kernels
