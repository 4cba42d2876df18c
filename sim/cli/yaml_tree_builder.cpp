#include "sim/cli/yaml_tree_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/cli/message_text.hpp"

namespace switchyard {
namespace {

constexpr std::size_t kMaxDepth = 64;

/// False when `text` opens with a quote that is never closed; yaml-cpp closes it at the file's end.
bool closes_its_quote(std::string_view text) {
  if (!text.starts_with('"') && !text.starts_with('\'')) return true;
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"')
      ++i;
    else if (text[i] == quote)
      return true;  // in '' the first quote closes: what matters is that there is one
  }
  return false;
}

}  // namespace

Place YamlTreeBuilder::place(const YAML::Mark& mark) const {
  return {.source = source_, .line = mark.line + 1, .column = mark.column + 1};
}

std::string_view YamlTreeBuilder::text_at(const YAML::Mark& mark) const {
  const auto offset = static_cast<std::size_t>(std::max(mark.pos, 0));
  return text_.substr(std::min(offset, text_.size()));
}

std::string YamlTreeBuilder::path() const {
  std::string path;
  for (const OpenCollection& collection : open_) {
    if (collection.node.kind == YamlNode::Kind::kList)
      path = item_path(path, collection.node.items.size());
    else if (collection.key)
      path = child_path(path, collection.key->text);
  }
  return path;
}

void YamlTreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++num_documents_ == 1) return;
  diagnostics_->add(place(mark), "",
                    text_at(mark).starts_with("---")
                        ? "a second document; expected one document per file"
                        : "expected the end of the file; this does not belong to what is before");
  throw Stop{};
}

void YamlTreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) {
  YamlNode node{YamlNode::Kind::kNothing, place(mark)};
  // For "key:" with nothing behind it yaml-cpp gives the mark of whatever comes next.
  if (!open_.empty() && open_.back().key && open_.back().key->place.line != node.place.line)
    node.place = open_.back().key->place;
  add(std::move(node));
}

void YamlTreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) {
  diagnostics_->add(place(mark), path(), "aliases are not accepted; write the value out");
  add({YamlNode::Kind::kNothing, place(mark)});
}

void YamlTreeBuilder::OnAnchor(const YAML::Mark& mark, const std::string& anchor_name) {
  diagnostics_->add(place(mark), path(),
                    fmt::format("anchors are not accepted, got {}; write the value out where it "
                                "is needed",
                                in_quotes("&" + anchor_name)));
}

void YamlTreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag,
                               YAML::anchor_t /*anchor*/, const std::string& value) {
  refuse_tag(mark, tag);
  if (!closes_its_quote(text_at(mark)))
    diagnostics_->add(place(mark), path(), "the quote is never closed");
  YamlNode node{YamlNode::Kind::kScalar, place(mark)};
  node.scalar = value;
  node.is_quoted = tag == "!";
  add(std::move(node));
}

void YamlTreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                      YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value style) {
  open(YamlNode::Kind::kList, mark, tag, style);
}

void YamlTreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag,
                                 YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value style) {
  open(YamlNode::Kind::kMap, mark, tag, style);
}

void YamlTreeBuilder::refuse_tag(const YAML::Mark& mark, const std::string& tag) {
  // yaml-cpp says "?" for no tag on plain text or a collection and "!" for quoted text.
  const bool is_lone_mark = tag == "!" && text_at(mark).starts_with('!');
  if (tag.empty() || tag == "?" || (tag == "!" && !is_lone_mark)) return;
  constexpr std::string_view kStandardTags = "tag:yaml.org,2002:";
  const std::string written =
      tag.starts_with(kStandardTags) ? "!!" + tag.substr(kStandardTags.size()) : tag;
  diagnostics_->add(place(mark), path(),
                    fmt::format("tags are not accepted, got {}; leave it out", in_quotes(written)));
}

void YamlTreeBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                           YAML::EmitterStyle::value style) {
  refuse_tag(mark, tag);
  if (style == YAML::EmitterStyle::Block && !first_block_) first_block_ = place(mark);
  if (open_.size() == kMaxDepth) {
    // Without the path, which is 64 keys long.
    diagnostics_->add(place(mark), "", fmt::format("nested more than {} levels deep", kMaxDepth));
    throw Stop{};
  }
  open_.push_back({.node = {kind, place(mark)}, .key = {}, .keys = {}});
}

void YamlTreeBuilder::close() {
  YamlNode node = std::move(open_.back().node);
  open_.pop_back();
  add(std::move(node));
}

void YamlTreeBuilder::add(YamlNode node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  OpenCollection& parent = open_.back();
  if (parent.node.kind == YamlNode::Kind::kList) {
    parent.node.items.push_back(std::move(node));
  } else if (!parent.key) {
    add_key(parent, node);
  } else {
    Key key = *std::exchange(parent.key, std::nullopt);
    if (parent.keys.try_emplace(key.text, key.place).second)
      parent.node.entries.push_back({std::move(key.text), std::move(key.place), std::move(node)});
  }
}

void YamlTreeBuilder::add_key(OpenCollection& map, const YamlNode& node) {
  const bool is_text = node.kind == YamlNode::Kind::kScalar && !node.scalar.empty();
  if (!is_text)
    diagnostics_->add(node.place, path(), fmt::format("expected a key, got {}", describe(node)));
  const auto first = is_text ? map.keys.find(node.scalar) : map.keys.end();
  if (first != map.keys.end())
    diagnostics_->add(node.place, child_path(path(), node.scalar),
                      fmt::format("duplicate key; it is given first on line {}, column {}",
                                  first->second.line, first->second.column));
  if (node.scalar == "<<" && !node.is_quoted)
    diagnostics_->add(node.place, path(), "merge keys (<<) are not accepted; write the keys out");
  map.key = Key{.text = is_text ? node.scalar : "?", .place = node.place};
}

}  // namespace switchyard
