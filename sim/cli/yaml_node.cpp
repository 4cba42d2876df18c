#include "sim/cli/yaml_node.hpp"

#include <algorithm>
#include <utility>

#include "sim/cli/message_text.hpp"

namespace switchyard {

YamlNode::YamlNode(Kind node_kind, Place node_place)
    : kind{node_kind}, place{std::move(node_place)} {}

const YamlNode::Entry* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

YamlNode::Entry* YamlNode::find(std::string_view key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kScalar:
      return in_quotes(node.scalar);
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
    case YamlNode::Kind::kNothing:
      break;
  }
  return "nothing";
}

namespace {

/// `changes` laid over a name: the mapping that changes what is named.
YamlNode based_on(const YamlNode& name, YamlNode changes) {
  if (changes.find("base") == nullptr)
    changes.entries.insert(changes.entries.begin(),
                           {.key = "base", .key_place = name.place, .value = name});
  return changes;
}

}  // namespace

YamlNode overlay(YamlNode base, const YamlNode& changes) {
  if (changes.kind != YamlNode::Kind::kMap) return changes;
  if (base.kind == YamlNode::Kind::kScalar && !base.is_quoted) return based_on(base, changes);
  if (base.kind != YamlNode::Kind::kMap) return changes;
  base.place = changes.place;
  for (const YamlNode::Entry& change : changes.entries) {
    YamlNode::Entry* old = base.find(change.key);
    if (old == nullptr) {
      base.entries.push_back(change);
    } else {
      old->key_place = change.key_place;
      old->value = overlay(std::move(old->value), change.value);
    }
  }
  return base;
}

}  // namespace switchyard
