#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "sim/cli/yaml_node.hpp"

namespace switchyard {

/// Builds a YamlNode from yaml-cpp's parse events and records what Switchyard does not accept.
/// (yaml-cpp's own tree drops duplicate keys, anchors' names and where a null was written.)
class YamlTreeBuilder : public YAML::EventHandler {
 public:
  /// @param text  what the parser reads; it must outlive the builder.
  YamlTreeBuilder(std::string_view text, std::shared_ptr<const Source> source,
                  Diagnostics& diagnostics)
      : text_{text}, source_{std::move(source)}, diagnostics_{&diagnostics} {}

  /// Thrown through the parser when reading on makes no sense; the problem is recorded already.
  struct Stop {};

  [[nodiscard]] YamlNode take_root() { return std::move(root_); }
  /// Of the first list or mapping in block style, that is without brackets.
  [[nodiscard]] const std::optional<Place>& first_block() const { return first_block_; }
  [[nodiscard]] Place place(const YAML::Mark& mark) const;
  /// Key path of what is being read.
  [[nodiscard]] std::string path() const;

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }
  void OnAnchor(const YAML::Mark& mark, const std::string& anchor_name) override;

 private:
  struct Key {
    std::string text;
    Place place;
  };
  struct OpenCollection {
    YamlNode node;
    std::optional<Key> key;             ///< a mapping's key whose value comes next
    std::map<std::string, Place> keys;  ///< a mapping's keys so far
  };

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::EmitterStyle::value style);
  void close();
  void add(YamlNode node);
  void add_key(OpenCollection& map, const YamlNode& node);
  void refuse_tag(const YAML::Mark& mark, const std::string& tag);

  /// What is written at `mark` and after.
  [[nodiscard]] std::string_view text_at(const YAML::Mark& mark) const;

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  Diagnostics* diagnostics_;
  int num_documents_ = 0;
  std::vector<OpenCollection> open_;
  std::optional<Place> first_block_;
  YamlNode root_;
};

}  // namespace switchyard
