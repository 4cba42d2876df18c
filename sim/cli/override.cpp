#include "sim/cli/override.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "sim/cli/message_text.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

using Step = std::variant<std::string, std::size_t>;  // a key or an index

/// Takes one step off `rest`; nullopt when there is no proper one.
std::optional<Step> take_step(std::string_view& rest, bool is_first) {
  if (rest.starts_with('[')) {
    std::size_t index = 0;
    const auto [end, status] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (is_first || status != std::errc{} || !rest.starts_with(']')) return std::nullopt;
    rest.remove_prefix(1);
    return index;
  }
  if (!is_first) {
    if (!rest.starts_with('.')) return std::nullopt;
    rest.remove_prefix(1);
  }
  const bool has_quotes = rest.starts_with('"');
  if (has_quotes) rest.remove_prefix(1);
  const std::size_t size =
      has_quotes ? rest.find('"') : std::min(rest.find_first_of(".[]=\""), rest.size());
  if (size == 0 || size == std::string_view::npos) return std::nullopt;
  std::string key{rest.substr(0, size)};
  rest.remove_prefix(size + (has_quotes ? 1 : 0));
  return key;
}

/// Takes the path in front of "=" or the end; nullopt when it is none.
std::optional<std::vector<Step>> take_path(std::string_view& rest) {
  constexpr std::size_t kMaxSteps = 64;
  std::vector<Step> steps;
  do {
    const std::optional<Step> step = take_step(rest, steps.empty());
    if (!step || steps.size() == kMaxSteps) return std::nullopt;
    steps.push_back(*step);
  } while (!rest.empty() && rest.front() != '=');
  return steps;
}

std::string step_path(std::string_view path, const Step& step) {
  if (const auto* key = std::get_if<std::string>(&step)) return child_path(path, *key);
  return item_path(path, std::get<std::size_t>(step));
}

/// Makes a mapping of what can be changed field by field: nothing, or the name of something.
void make_mapping(YamlNode& node, const Place& place) {
  YamlNode mapping{YamlNode::Kind::kMap, place};
  if (node.kind == YamlNode::Kind::kScalar)
    mapping.entries.push_back({.key = "base", .key_place = node.place, .value = node});
  node = std::move(mapping);
}

/// The child of `node` that `step` names, created where that is possible.
YamlNode* descend(YamlNode& node, const Step& step, std::string_view path, const Place& place,
                  Diagnostics& diagnostics) {
  if (const auto* index = std::get_if<std::size_t>(&step)) {
    if (node.kind == YamlNode::Kind::kList && *index < node.items.size())
      return &node.items[*index];
    diagnostics.add(
        place, path,
        node.kind == YamlNode::Kind::kList
            ? fmt::format("has {} items, counted from 0; there is no item {}", node.items.size(),
                          *index)
            : fmt::format("expected a list with an item {}, got {}", *index, describe(node)));
    return nullptr;
  }
  if (node.kind == YamlNode::Kind::kList) {
    diagnostics.add(place, path, "is a list; expected an index in the path, such as [0]");
    return nullptr;
  }
  if (node.kind != YamlNode::Kind::kMap) make_mapping(node, place);
  const auto& key = std::get<std::string>(step);
  YamlNode::Entry* entry = node.find(key);
  if (entry == nullptr)
    entry =
        &node.entries.emplace_back(YamlNode::Entry{key, place, {YamlNode::Kind::kNothing, place}});
  return &entry->value;
}

void set_at(YamlNode& root, const std::vector<Step>& steps, const Place& path_place,
            const YamlNode& value, Diagnostics& diagnostics) {
  YamlNode* node = &root;
  YamlNode* parent = nullptr;
  bool is_new = false;
  std::string path;
  for (const Step& step : steps) {
    parent = node;
    const auto* key = std::get_if<std::string>(&step);
    is_new = key != nullptr && parent->find(*key) == nullptr;
    node = descend(*node, step, path, path_place, diagnostics);
    if (node == nullptr) return;
    path = step_path(path, step);
  }
  *node = value;
  if (const auto* key = std::get_if<std::string>(&steps.back()); key != nullptr && !is_new)
    parent->find(*key)->key_place = value.place;
}

void apply(YamlNode& root, std::string_view assignment, Diagnostics& diagnostics) {
  constexpr std::size_t kMaxNameBytes = 80;
  std::string name = fmt::format("--set {}", assignment.substr(0, kMaxNameBytes));
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  std::string_view rest = assignment;
  const std::optional<std::vector<Step>> steps = take_path(rest);
  if (!steps || !rest.starts_with('=')) {
    const auto source = std::make_shared<Source>(Source{.name = name, .has_lines = false});
    diagnostics.add({.source = source}, "",
                    "expected path=value, such as routing.capacity_factor=1.25");
    return;
  }
  const std::size_t num_problems = diagnostics.count();
  const YamlNode value = parse_option_value(rest.substr(1), std::move(name), diagnostics);
  if (diagnostics.count() == num_problems) set_at(root, *steps, value.place, value, diagnostics);
}

}  // namespace

void set_value(YamlNode& root, std::string_view path, const Place& path_place,
               const YamlNode& value, Diagnostics& diagnostics) {
  std::string_view rest = path;
  const std::optional<std::vector<Step>> steps = take_path(rest);
  if (steps && rest.empty())
    set_at(root, *steps, path_place, value, diagnostics);
  else
    diagnostics.add(path_place, "",
                    fmt::format("expected a key path, such as \"routing.capacity_factor\", got {}",
                                in_quotes(path)));
}

bool path_covers(std::string_view later, std::string_view earlier) {
  std::string_view rest_of_later = later;
  std::string_view rest_of_earlier = earlier;
  const std::optional<std::vector<Step>> over = take_path(rest_of_later);
  const std::optional<std::vector<Step>> under = take_path(rest_of_earlier);
  return over && under && over->size() <= under->size() &&
         std::equal(over->begin(), over->end(), under->begin());
}

void apply_overrides(YamlNode& root, std::span<const std::string> assignments) {
  Diagnostics diagnostics;
  for (const std::string& assignment : assignments) apply(root, assignment, diagnostics);
  diagnostics.throw_if_any();
}

void apply_override(YamlNode& root, const std::string& assignment) {
  apply_overrides(root, {&assignment, 1});
}

}  // namespace switchyard
