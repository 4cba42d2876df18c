#include "sim/workload/routing/routing_trace.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <ostream>
#include <string_view>

#include "sim/core/error.hpp"
#include "sim/workload/routing/expert_rows.hpp"
#include "sim/workload/routing/npy_format.hpp"
#include "sim/workload/routing/trace_csv.hpp"

namespace switchyard {
namespace {

/// The lengths of a trace without its experts, from the shape of an array.
RoutingTrace trace_of_shape(const NpyArray& array, const std::string& name) {
  const auto fail = [&](const std::string& what) {
    throw ConfigError(fmt::format("{}: shape {}: {}", name, npy_shape_text(array.shape), what));
  };
  if (array.shape.size() != 2 && array.shape.size() != 3)
    fail("expected (tokens, layers, choices), or (tokens, choices) for one layer");
  std::int64_t numbers = 1;
  for (const std::int64_t length : array.shape) {
    if (length == 0) fail("expected at least one token, one layer and one choice");
    if (length > kMostTraceNumbers / numbers)
      fail(fmt::format("expected at most {} numbers in all: split the trace", kMostTraceNumbers));
    numbers *= length;
  }
  const std::int64_t num_layers = array.shape.size() == 3 ? array.shape[1] : 1;
  if (std::max(num_layers, array.shape.back()) > std::numeric_limits<int>::max())
    fail("too many layers or choices");
  return {.num_tokens = array.shape.front(),
          .num_layers = static_cast<int>(num_layers),
          .num_choices = static_cast<int>(array.shape.back()),
          .experts = {}};
}

RoutingTrace parse_npy(std::string_view content, const std::string& name, int num_experts) {
  const NpyArray array = parse_npy_header(content, name);
  RoutingTrace trace = trace_of_shape(array, name);
  const std::int64_t numbers = trace.num_tokens * trace.num_layers * trace.num_choices;
  const auto given = static_cast<std::int64_t>(content.size() - array.data_begin);
  const std::int64_t expected = numbers * array.value_bytes;
  if (given < expected)
    throw ConfigError(fmt::format(
        "{}: byte {}: the file ends too early: shape {} of {}-byte numbers needs {} bytes after "
        "the "
        "header, there are {}: it is truncated, copy it again",
        name, content.size(), npy_shape_text(array.shape), array.value_bytes, expected, given));
  if (given > expected)
    throw ConfigError(fmt::format(
        "{}: byte {}: expected the end of the file after {} bytes of shape {}, there are {} more: "
        "save one array to a file",
        name, array.data_begin + static_cast<std::size_t>(expected), expected,
        npy_shape_text(array.shape), given - expected));

  ExpertRows rows{trace.num_choices, num_experts};
  rows.experts().reserve(static_cast<std::size_t>(numbers));
  for (std::int64_t i = 0; i < numbers; ++i) {
    const NpyValue value = npy_value(array, content, static_cast<std::size_t>(i));
    const auto problem = rows.add(value);
    if (!problem) continue;
    const std::int64_t row = i / trace.num_choices;
    const bool is_minus_one =
        !array.is_signed && value == (NpyValue{1} << 8 * array.value_bytes) - 1;
    throw ConfigError(
        fmt::format("{}: token {}, layer {}, choice {}: {}{}", name, row / trace.num_layers,
                    row % trace.num_layers, i % trace.num_choices, *problem,
                    is_minus_one ? " (-1 in an unsigned type: save a signed one)" : ""));
  }
  trace.num_experts = rows.num_experts();
  trace.experts = std::move(rows.experts());
  return trace;
}

std::string file_content(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found)
    throw ConfigError(fmt::format("{}: there is no such file", name));
  if (status.type() == std::filesystem::file_type::directory)
    throw ConfigError(fmt::format("{}: is a folder, expected a .npy or .csv file", name));
  if (status.type() != std::filesystem::file_type::regular)
    throw ConfigError(fmt::format("{}: cannot be read as a file", name));
  std::ifstream in{file, std::ios::binary};
  const auto size = std::filesystem::file_size(file, error);
  if (!in || error) throw ConfigError(fmt::format("{}: cannot be read", name));
  std::string content(size, '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

void check_ending(const std::string& name) {
  if (!name.ends_with(".npy") && !name.ends_with(".csv"))
    throw ConfigError(fmt::format(
        "{}: expected a trace that ends in .npy (numpy.save) or .csv; its ending names its format",
        name));
}

/// The first `bytes` bytes of `value` in two's complement, least first.
void append_value(std::string& text, std::int32_t value, int bytes) {
  const auto bits = static_cast<std::uint32_t>(value);
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(bits >> (8 * i) & 0xFFU);
}

}  // namespace

RoutingTrace read_routing_trace(const std::filesystem::path& file, int num_experts) {
  const std::string content = file_content(file);
  return parse_routing_trace(content, file.string(), num_experts);
}

RoutingTrace parse_routing_trace(const std::string& content, const std::string& name,
                                 int num_experts) {
  check_ending(name);
  RoutingTrace trace = name.ends_with(".npy") ? parse_npy(content, name, num_experts)
                                              : parse_trace_csv(content, name, num_experts);
  if (std::ranges::all_of(trace.experts, [](std::int32_t expert) { return expert < 0; }))
    throw ConfigError(fmt::format("{}: no token chooses any expert: all choices are -1", name));
  return trace;
}

void write_routing_trace(const RoutingTrace& trace, std::ostream& npy) {
  const auto numbers =
      static_cast<std::size_t>(trace.num_tokens * trace.num_layers * trace.num_choices);
  SWITCHYARD_CHECK(trace.experts.size() == numbers,
                   "{} experts for {} tokens, {} layers, {} choices", trace.experts.size(),
                   trace.num_tokens, trace.num_layers, trace.num_choices);
  const int bytes = trace.num_experts <= 128 ? 1 : trace.num_experts <= 32'768 ? 2 : 4;
  const std::int64_t shape[] = {trace.num_tokens, trace.num_layers, trace.num_choices};
  npy << npy_header(bytes == 1 ? "|i1" : bytes == 2 ? "<i2" : "<i4", shape);
  constexpr std::size_t kBlock = 1 << 16;
  std::string block;
  for (const std::int32_t expert : trace.experts) {
    append_value(block, expert, bytes);
    if (block.size() >= kBlock) {
      npy << block;
      block.clear();
    }
  }
  npy << block;
}

}  // namespace switchyard
