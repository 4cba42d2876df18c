#include "sim/cli/calibration/write_kernels.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/calibration/read_kernels.hpp"
#include "sim/cli/profile_text.hpp"
#include "sim/core/parse_units.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;
using K = KernelConstant;

/// The number with fewest digits that is within 1e-12 of one read back from a file.
template <class Quantity>
std::string shortest_text(double value, double scale, const char* unit,
                          std::optional<Quantity> (*parse)(std::string_view)) {
  constexpr double kTolerance = 1e-12;
  constexpr int kMostDigits = 17;
  std::string text;
  for (int digits = 1; digits <= kMostDigits; ++digits) {
    const std::string number = fmt::format("{:.{}e}", value / scale, digits - 1);
    text = fmt::format("{} {}", std::strtod(number.c_str(), nullptr), unit);
    const auto read = parse(text);
    if (read && std::abs(read->base() - value) <= kTolerance * std::abs(value)) break;
  }
  return text;
}

struct ScaledUnit {
  double base_units;
  const char* name;
};

/// In the first unit of which it is at least one, else in the last.
template <class Quantity>
std::string short_text(double value, const std::vector<ScaledUnit>& units,
                       std::optional<Quantity> (*parse)(std::string_view)) {
  const auto found = std::ranges::find_if(
      units, [&](const ScaledUnit& unit) { return std::abs(value) >= unit.base_units; });
  const ScaledUnit& unit = found == units.end() ? units.back() : *found;
  return shortest_text<Quantity>(value, unit.base_units, unit.name, parse);
}

const std::vector<ScaledUnit>& times() {
  static const std::vector<ScaledUnit> kTimes{{1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
  return kTimes;
}

Json constant_value(K constant, double value) {
  switch (constant) {
    case K::kLaunch:
    case K::kItem:
    case K::kGroup:
      return short_text<Seconds>(value, times(), parse_seconds);
    case K::kRate:
      return short_text<FlopPerSecond>(value, {{1e12, "TFLOP/s"}, {1e9, "GFLOP/s"}},
                                       parse_flop_rate);
    case K::kCacheBandwidth:
    case K::kLastLevelBandwidth:
    case K::kMemoryBandwidth:
    case K::kWeightBandwidth:
      return short_text<BytesPerSecond>(value, {{1e9, "GB/s"}, {1e6, "MB/s"}}, parse_bandwidth);
    case K::kKnee:
    case K::kLastLevelKnee:
      return short_text<Bytes>(value, {{1e6, "MB"}, {1e3, "kB"}}, parse_bytes);
    case K::kSharpness:
    case K::kLastLevelSharpness:
    case K::kCombination:
    case K::kSharedCompute:
    case K::kSharedMemory:
    case K::kNarrow:
      return value;
  }
  return nullptr;
}

Json model_json(const KernelModel& model) {
  Json json;
  json["operator"] = kernel_name(model.kind);
  if (!model.variant.empty()) json["variant"] = model.variant;
  if (!model.source.empty()) json["source"] = model.source;
  json["fitted_to"] = model.points.size();
  json["noise"] = model.noise;
  json["held_out"] = {{"points", model.held_out.points},
                      {"median", rounded(model.held_out.median)},
                      {"p90", rounded(model.held_out.p90)},
                      {"largest", rounded(model.held_out.largest)}};
  json["interval"] = {{"residual", model.residual}, {"parameters", model.parameters}};
  json["reach"] = model.reach;
  Json constants;
  const KernelConstants neutral = neutral_constants();
  for (const ConstantRange& range : constant_ranges(model.kind)) {
    const auto place = static_cast<std::size_t>(range.constant);
    if (may_miss(range.constant) && model.constants[place] == neutral[place]) continue;
    constants[std::string{constant_name(range.constant)}] = {
        {"value", constant_value(range.constant, model.constants[place])},
        {"range",
         {constant_value(range.constant, model.lowest[place]),
          constant_value(range.constant, model.highest[place])}}};
  }
  json["constants"] = constants;
  return json;
}

bool is_flat(const Json& json) {
  return std::ranges::none_of(json, [](const Json& item) {
    return item.is_object() || (item.is_array() && item.size() > 2);
  });
}

std::string scalar_text(const Json& json) {
  using namespace std::string_view_literals;
  if (!json.is_string()) return json.dump();
  const auto text = json.get<std::string>();
  const bool is_plain = !text.empty() && text.find_first_of(":#{}[],\"'\n&*!|>%@`") == text.npos &&
                        text.front() != ' ' && text.back() != ' ' && text.front() != '-';
  // Quantities have a space before their unit; of the rest 0b01, 1e5 and 12 are numbers.
  const bool may_be_number = is_plain && text.find(' ') == text.npos &&
                             "0123456789.+"sv.find(text.front()) != std::string_view::npos;
  constexpr std::array kWords{"true"sv, "false"sv, "null"sv, "yes"sv, "no"sv,
                              "on"sv,   "off"sv,   "nan"sv,  "inf"sv, "~"sv};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool is_word = std::ranges::find(kWords, lower) != kWords.end();
  return is_plain && !may_be_number && !is_word ? text : json.dump();
}

std::string flow_text(const Json& json) {
  if (!json.is_structured()) return scalar_text(json);
  std::vector<std::string> parts;
  for (const auto& [key, value] : json.items())
    parts.push_back(json.is_array() ? flow_text(value) : key + ": " + flow_text(value));
  return fmt::format(fmt::runtime(json.is_array() ? "[{}]" : "{{{}}}"), fmt::join(parts, ", "));
}

}  // namespace

Json kernels_json(const KernelProfile& profile) {
  const MeasuredDevice& measured = profile.measured;
  Json json;
  json["version"] = kKernelsVersion;
  json["name"] = profile.name;
  json["backend"] = measured.backend;
  json["device"] = measured.device;
  json["software"] = measured.software;
  json["started"] = measured.started;
  json["cores"] = measured.cores;
  json["last_level_cache"] =
      short_text<Bytes>(measured.last_level_cache.base(), {{1e6, "MB"}, {1.0, "B"}}, parse_bytes);
  json["drift"] = rounded(measured.drift);
  json["points"] = profile.points_file;
  for (const auto& [transport, file] : profile.links_files) json["links"][transport] = file;
  json["threads"] = profile.threads;
  json["tiles"] = {{"rows", profile.tiles.rows},
                   {"columns", profile.tiles.columns},
                   {"multiprocessors", profile.tiles.multiprocessors}};
  for (const auto& [name, speed] : profile.sustained)
    json["sustained"][name] = {
        {"ratio", rounded(speed.ratio)},
        {"burst", short_text<Seconds>(speed.burst.base(), times(), parse_seconds)},
        {"sustained", short_text<Seconds>(speed.sustained.base(), times(), parse_seconds)},
        {"duration", short_text<Seconds>(speed.duration.base(), {{1.0, "s"}}, parse_seconds)}};
  json["models"] = Json::array();
  for (const KernelModel& model : profile.models) json["models"].push_back(model_json(model));
  return json;
}

std::string yaml_text(const Json& json, int indentation) {
  const std::string indent(static_cast<std::size_t>(indentation), ' ');
  std::string text;
  for (const auto& [key, value] : json.items()) {
    const bool is_item = json.is_array();
    if (!value.is_structured() || value.empty() || (!is_item && is_flat(value))) {
      text += indent + (is_item ? "- " : key + ": ") + flow_text(value) + "\n";
    } else if (is_item) {
      std::string inner = yaml_text(value, indentation + 2);
      inner[indent.size()] = '-';
      text += inner;
    } else {
      text += indent + key + ":\n" + yaml_text(value, indentation + 2);
    }
  }
  return text;
}

}  // namespace switchyard
