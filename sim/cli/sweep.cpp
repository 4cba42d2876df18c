#include "sim/cli/sweep.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "sim/cli/message_text.hpp"
#include "sim/cli/override.hpp"

namespace switchyard {
namespace {

/// The node as YAML on one line.
std::string flow_text(const YamlNode& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case YamlNode::Kind::kScalar:
      return node.scalar;
    case YamlNode::Kind::kList:
      for (const YamlNode& item : node.items) parts.push_back(flow_text(item));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case YamlNode::Kind::kMap:
      for (const YamlNode::Entry& entry : node.entries)
        parts.push_back(fmt::format("{}: {}", entry.key, flow_text(entry.value)));
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
    case YamlNode::Kind::kNothing:
      break;
  }
  return "~";
}

constexpr std::size_t kMaxSweepPoints = 100'000;

/// The values of one path of the sweep; without any, a problem was added.
std::vector<Change> sweep_values(const YamlNode::Entry& entry, Diagnostics& diagnostics) {
  const std::string path = child_path("sweep", entry.key);
  if (entry.value.kind != YamlNode::Kind::kList)
    diagnostics.add(entry.value.place, path,
                    "expected a list of values, got " + describe(entry.value));
  else if (entry.value.items.empty())
    diagnostics.add(entry.value.place, path, "expected at least one value, got an empty list");
  std::vector<Change> values;
  std::set<std::string> texts;
  for (const YamlNode& value : entry.value.items) {
    if (const auto [text, is_new] = texts.insert(flow_text(value)); !is_new)
      diagnostics.add(value.place, path, fmt::format("the value {} is there twice", *text));
    values.push_back({.path = entry.key, .path_place = entry.key_place, .value = &value});
  }
  return values;
}

}  // namespace

std::vector<SweepPoint> sweep_points(const YamlNode* sweep, Diagnostics& diagnostics) {
  std::vector<SweepPoint> points = {{}};
  if (sweep == nullptr) return points;
  const std::size_t num_problems = diagnostics.count();
  if (sweep->kind != YamlNode::Kind::kMap)
    diagnostics.add(sweep->place, "sweep",
                    "expected a mapping of paths to lists of values, got " + describe(*sweep));
  for (const auto& entry : sweep->entries) {
    const std::vector<Change> values = sweep_values(entry, diagnostics);
    if (points.size() * values.size() > kMaxSweepPoints) {
      diagnostics.add(entry.key_place, "sweep",
                      fmt::format("expected at most {} points in all", kMaxSweepPoints));
      break;
    }
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points)
      for (const Change& value : values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    if (!longer.empty()) points = std::move(longer);
  }
  if (diagnostics.count() > num_problems) points.clear();
  return points;
}

void apply_change(YamlNode& root, const Change& change, Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 6> kFrameKeys{"name",  "title",  "cases",
                                                       "sweep", "ratios", "leave_one_out"};
  const auto first = std::string_view{change.path}.substr(0, change.path.find_first_of(".["));
  if (std::ranges::find(kFrameKeys, first) != kFrameKeys.end())
    diagnostics.add(change.path_place, first,
                    "belongs to the whole experiment; a case or a sweep cannot change it");
  else
    set_value(root, change.path, change.path_place, *change.value, diagnostics);
}

std::string point_name(const SweepPoint& point) {
  std::vector<std::string> parts;
  for (const Change& change : point)
    parts.push_back(fmt::format("{}={}", change.path, flow_text(*change.value)));
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace switchyard
