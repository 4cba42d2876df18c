#pragma once

// The templates of sim/cli/section.hpp, which includes this file.

namespace switchyard {
namespace detail {

/// "a list of 2 items, each item a number"
[[nodiscard]] std::string list_expected(ListSize size, std::string_view expected_item);
[[nodiscard]] Json list_schema(ListSize size, Json item);

}  // namespace detail

template <class T>
std::optional<T> Section::scalar(const YamlNode& node, const std::string& path,
                                 const ValueType<T>& type) {
  Parsed<T> parsed;
  if (node.kind == YamlNode::Kind::kScalar) parsed = type.parse(node);
  if (!parsed.value) refuse(node, path, type.expected, parsed.hint);
  return std::move(parsed.value);
}

template <class T>
T Section::value(Text key, Text description, const ValueType<T>& type) {
  if (is_describing()) {
    describe_leaf(key, description, true, type.schema);
    return type.fallback;
  }
  const YamlNode* node = require(key, type.expected);
  return node == nullptr ? type.fallback : scalar(*node, path(key), type).value_or(type.fallback);
}

template <class T>
T Section::value_or(Text key, Text description, const ValueType<T>& type, T fallback) {
  if (is_describing()) {
    Json schema = type.schema;
    schema["default"] = type.to_json(fallback);
    describe_leaf(key, description, false, schema);
    return fallback;
  }
  const YamlNode* node = ask(key);
  return node == nullptr ? fallback : scalar(*node, path(key), type).value_or(fallback);
}

template <class T>
std::optional<T> Section::find(Text key, Text description, const ValueType<T>& type) {
  if (is_describing()) {
    describe_leaf(key, description, false, type.schema);
    return std::nullopt;
  }
  const YamlNode* node = ask(key);
  return node == nullptr ? std::nullopt : scalar(*node, path(key), type);
}

template <class T>
std::vector<T> Section::scalars(const YamlNode& node, Text key, const ValueType<T>& item,
                                ListSize size) {
  std::vector<T> result;
  if (const auto* items = items_of(node, key, item.expected, size))
    for (std::size_t i = 0; i < items->size(); ++i)
      result.push_back(scalar((*items)[i], item_path(path(key), i), item).value_or(item.fallback));
  result.resize(std::max(result.size(), size.min), item.fallback);
  return result;
}

template <class T>
std::vector<T> Section::list(Text key, Text description, const ValueType<T>& item, ListSize size) {
  if (is_describing()) {
    describe_leaf(key, description, true, detail::list_schema(size, item.schema));
    return std::vector<T>(size.min, item.fallback);
  }
  const YamlNode* node = require(key, detail::list_expected(size, item.expected));
  return node == nullptr ? std::vector<T>(size.min, item.fallback)
                         : scalars(*node, key, item, size);
}

template <class T>
std::vector<T> Section::optional_list(Text key, Text description, const ValueType<T>& item,
                                      std::vector<T> fallback, ListSize size) {
  if (is_describing()) {
    Json schema = detail::list_schema(size, item.schema);
    schema["default"] = Json::array();
    for (const T& x : fallback) schema["default"].push_back(item.to_json(x));
    describe_leaf(key, description, false, schema);
    return fallback;
  }
  const YamlNode* node = ask(key);
  return node == nullptr ? fallback : scalars(*node, key, item, size);
}

template <class Read>
auto Section::read_sections(Text key, Text description, bool is_required, Read&& read,
                            ListSize size) {
  std::vector<decltype(read(std::declval<Section>()))> result;
  if (is_describing()) {
    const Json list = detail::list_schema(size, Json::object());
    result.push_back(read(describe_nested(key, description, is_required,
                                          SchemaObject::Shape::kListOfMappings, list)));
    return result;
  }
  constexpr Text kItem = "a mapping of keys to values";
  const YamlNode* node = is_required ? require(key, detail::list_expected(size, kItem)) : ask(key);
  if (node != nullptr)
    if (const auto* items = items_of(*node, key, kItem, size))
      for (std::size_t i = 0; i < items->size(); ++i)
        result.push_back(read(Section{(*items)[i], item_path(path(key), i), diagnostics()}));
  return result;
}

template <class Read>
auto Section::sections(Text key, Text description, Read&& read, ListSize size) {
  return read_sections(key, description, true, std::forward<Read>(read), size);
}

template <class Read>
auto Section::optional_sections(Text key, Text description, Read&& read, ListSize size) {
  return read_sections(key, description, false, std::forward<Read>(read), size);
}

template <class T>
T Section::variant(Text key, Text description, const std::vector<Variant<T>>& variants) {
  Choices<std::size_t> names;
  for (std::size_t i = 0; i < variants.size(); ++i) names.emplace_back(variants[i].name, i);
  const ValueType<std::size_t> type = types::one_of(std::move(names));
  if (is_describing()) {
    describe_leaf(key, description, true, type.schema);
    for (const Variant<T>& variant : variants) {
      Section branch = describe_branch(key, variant.name);
      (void)variant.read(branch);
      branch.finish();
    }
    return T{};
  }
  std::optional<std::size_t> chosen;
  if (const YamlNode* node = require(key, type.expected)) chosen = scalar(*node, path(key), type);
  if (chosen) return variants[*chosen].read(*this);
  close_early();  // which keys belong here is not known
  return T{};
}

template <class Read>
auto Section::catalog_entry(Text key, Text description, const Catalog& catalog, Read&& read) {
  if (is_describing())
    return read(describe_nested(key, description, true, SchemaObject::Shape::kCatalogEntry,
                                {{"examples", catalog.names}}));
  const YamlNode* node = require(key, "a name from the catalog or a mapping");
  std::optional<YamlNode> entry;
  if (node != nullptr) entry = resolve(*node, path(key), catalog, diagnostics());
  if (!entry) return read(Section{});
  Section section{*entry, path(key), diagnostics()};
  section.also_known("base");
  return read(std::move(section));
}

}  // namespace switchyard
