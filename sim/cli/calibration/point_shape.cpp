#include "sim/cli/calibration/point_shape.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <numeric>
#include <sstream>

namespace switchyard {
namespace {

constexpr std::int64_t kLargest = 1'000'000'000'000;  // bytes
constexpr std::int64_t kLargestSize = 1'000'000'000;  // rows, columns, tokens

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> kNames{"relu", "gelu", "geglu", "swiglu"};
  return kNames;
}

std::optional<std::int64_t> whole(std::string_view text, std::int64_t lowest) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < lowest ||
      value > kLargest)
    return std::nullopt;
  return value;
}

std::string expected_text(const std::vector<std::string>& keys, const std::string& text) {
  return fmt::format("shape: expected \"{}=...\", got \"{}\"", fmt::join(keys, "=... "), text);
}

std::string not_whole(const ShapeEntry& entry) {
  return fmt::format("shape: {}: expected a whole number of at least 1, got \"{}\"", entry.key,
                     entry.value);
}

std::string unknown_activation(const std::string& name) {
  return fmt::format("shape: kind: expected one of {}, got \"{}\"",
                     fmt::join(activation_names(), ", "), name);
}

const std::vector<std::string>& layer_keys() {
  static const std::vector<std::string> kKeys{"tokens",  "d_model", "d_ff",   "kind",  "experts",
                                              "choices", "data",    "tensor", "expert"};
  return kKeys;
}

bool begin_with(const std::vector<ShapeEntry>& entries, const std::vector<std::string>& keys) {
  if (entries.size() < keys.size()) return false;
  return std::ranges::equal(keys, std::span{entries}.first(keys.size()), {}, {}, &ShapeEntry::key);
}

std::string read_loads(const std::string& text, KernelCall& call) {
  std::stringstream parts{text};
  for (std::string part; std::getline(parts, part, ':');) {
    const auto load = whole(part, 0);
    if (!load) return fmt::format("shape: loads: expected whole numbers, got \"{}\"", text);
    call.loads.push_back(*load);
  }
  const std::int64_t sum = std::accumulate(call.loads.begin(), call.loads.end(), std::int64_t{0});
  if (sum != size_of(call, "rows") ||
      static_cast<std::int64_t>(call.loads.size()) != size_of(call, "experts"))
    return fmt::format("shape: loads: expected {} that add up to {}, got {} that add up to {}",
                       size_of(call, "experts"), size_of(call, "rows"), call.loads.size(), sum);
  return "";
}

}  // namespace

std::optional<std::vector<ShapeEntry>> shape_entries(const std::string& text) {
  std::vector<ShapeEntry> entries;
  std::stringstream words{text};
  for (std::string word; words >> word;) {
    const std::size_t equal = word.find('=');
    if (equal == std::string::npos || equal == 0) return std::nullopt;
    entries.push_back({word.substr(0, equal), word.substr(equal + 1)});
  }
  return entries;
}

std::optional<CollectiveKind> collective_of_name(const std::string& name) {
  using Kind = CollectiveKind;
  for (const Kind kind : {Kind::kAllToAll, Kind::kAllReduce, Kind::kAllGather, Kind::kReduceScatter,
                          Kind::kPointToPoint})
    if (name == collective_kind_name(kind)) return kind;
  return std::nullopt;
}

std::string read_shape(const std::string& text, KernelCall& call) {
  std::vector<std::string> keys;
  for (const std::string_view name : size_names(call.kind)) keys.emplace_back(name);
  const std::size_t num_sizes = keys.size();
  if (has_variant(call.kind)) keys.emplace_back("kind");
  const auto entries = shape_entries(text);
  const bool may_have_loads = std::ranges::find(keys, "n") != keys.end() && keys.size() == 4;
  if (!entries || !begin_with(*entries, keys) ||
      entries->size() > keys.size() + (may_have_loads ? 1 : 0))
    return expected_text(keys, text);
  for (std::size_t i = 0; i < num_sizes; ++i) {
    const auto size = whole((*entries)[i].value, 1);
    if (!size) return not_whole((*entries)[i]);
    if (keys[i] != "bytes" && *size > kLargestSize)
      return fmt::format("shape: {}: expected at most {}, got {}", keys[i], kLargestSize, *size);
    call.sizes.push_back(*size);
  }
  if (has_variant(call.kind)) {
    call.variant = (*entries)[num_sizes].value;
    if (std::ranges::find(activation_names(), call.variant) == activation_names().end())
      return unknown_activation(call.variant);
  }
  if (entries->size() == keys.size()) return "";
  if (entries->back().key != "loads") return expected_text(keys, text);
  return read_loads(entries->back().value, call);
}

std::string read_shape(const std::string& text, LayerPoint& layer) {
  const std::vector<std::string> counts{"tokens",  "d_model", "d_ff",   "experts",
                                        "choices", "data",    "tensor", "expert"};
  std::map<std::string, std::string> given;
  for (const auto& [key, value] : shape_entries(text).value_or(std::vector<ShapeEntry>{}))
    given[key] = value;
  std::vector<std::int64_t> values;
  for (const std::string& key : counts) {
    if (!given.contains(key)) return expected_text(layer_keys(), text);
    const auto value = whole(given[key], 1);
    if (!value || *value > 1'000'000'000) return not_whole({key, given[key]});
    values.push_back(*value);
  }
  layer.activation = given["kind"];
  if (std::ranges::find(activation_names(), layer.activation) == activation_names().end())
    return unknown_activation(layer.activation);
  layer.tokens = values[0];
  layer.d_model = values[1];
  layer.d_ff = values[2];
  layer.experts = static_cast<int>(values[3]);
  layer.choices = static_cast<int>(values[4]);
  layer.data = static_cast<int>(values[5]);
  layer.tensor = static_cast<int>(values[6]);
  layer.expert = static_cast<int>(values[7]);
  const bool has_skew = given.contains("skew");
  if (given.size() != counts.size() + (has_skew ? 2 : 1)) return expected_text(layer_keys(), text);
  if (!has_skew) return "";
  const std::string& skew = given["skew"];
  const auto [end, error] = std::from_chars(skew.data(), skew.data() + skew.size(), layer.skew);
  if (error != std::errc{} || end != skew.data() + skew.size() || !(layer.skew >= 0.0))
    return fmt::format("shape: skew: expected a number of at least 0, got \"{}\"", skew);
  return "";
}

std::string read_shape(const std::string& text, CollectivePoint& collective) {
  const auto entries = shape_entries(text);
  if (!entries || entries->size() != 1 || entries->front().key != "bytes")
    return expected_text({"bytes"}, text);
  const auto size = whole(entries->front().value, 1);
  if (!size) return not_whole(entries->front());
  collective.size = Bytes{static_cast<double>(*size)};
  return "";
}

std::string shape_text(const LayerPoint& p) {
  std::string text = fmt::format(
      "tokens={} d_model={} d_ff={} kind={} experts={} choices={} data={} tensor={} expert={}",
      p.tokens, p.d_model, p.d_ff, p.activation, p.experts, p.choices, p.data, p.tensor, p.expert);
  if (p.skew > 0) text += fmt::format(" skew={}", p.skew);
  return text;
}

}  // namespace switchyard
