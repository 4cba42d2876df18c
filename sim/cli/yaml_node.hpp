#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cli/diagnostics.hpp"

namespace switchyard {

/// A piece of YAML as a plain value that knows where it was written. Copies are independent, and
/// a tree may be put together from several files: each node keeps its own place.
struct YamlNode {
  enum class Kind { kNothing, kScalar, kList, kMap };
  struct Entry;

  YamlNode() = default;
  YamlNode(Kind node_kind, Place node_place);

  Kind kind = Kind::kNothing;
  Place place;                  ///< of a block mapping: its first key; of a flow mapping: the brace
  std::string scalar;           ///< kScalar: the text without quotes
  bool is_quoted = false;       ///< kScalar: in quotes or a block, hence text and never a number
  std::vector<YamlNode> items;  ///< kList
  std::vector<Entry> entries;   ///< kMap, in file order, no key twice

  /// The entry with this key; nullptr when there is none or the node is no mapping.
  [[nodiscard]] const Entry* find(std::string_view key) const;
  [[nodiscard]] Entry* find(std::string_view key);
};

/// One `key: value` of a mapping.
struct YamlNode::Entry {
  std::string key;
  Place key_place;
  YamlNode value;
};

/// What a message says was given: `"abc"`, `a list`, `a mapping` or `nothing`.
[[nodiscard]] std::string describe(const YamlNode& node);

/// `base` with the fields of `changes` put over it: mappings are merged key by key, anything else
/// is replaced. Replaced keys take the place of the change, kept ones stay where they were. A
/// mapping over a name changes what is named: `device: {overhead: 2 us}` over `device: tpu` gives
/// `device: {base: tpu, overhead: 2 us}`.
[[nodiscard]] YamlNode overlay(YamlNode base, const YamlNode& changes);

}  // namespace switchyard
