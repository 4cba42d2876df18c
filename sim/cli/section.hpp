#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/cli/catalog.hpp"
#include "sim/cli/diagnostics.hpp"
#include "sim/cli/schema.hpp"
#include "sim/cli/value_type.hpp"

namespace switchyard {

class Section;

/// One of the forms a section can take: its name and the reader of the keys it adds. The reader
/// does not call finish(): the section belongs to the caller.
template <class T>
struct Variant {
  std::string name;
  std::function<T(Section&)> read;
};

/// How many items a list may have.
struct ListSize {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

/// One YAML mapping and what a reader asks of it. The same reader `Foo read_foo(Section section)`
/// serves two ends: on a mapping it reads and checks, on a describing section it tells what it
/// would ask, from which json_schema() makes the schema.
///
/// A getter that fails records the problem and returns a harmless value in range, so that reading
/// goes on and all problems come out together. finish() must end every reader (checked): it reports
/// the keys nobody asked for. A description is a short sentence for editors.
class Section {
 public:
  /// For reading. `node` and `diagnostics` must outlive the section.
  /// @param path  key path of the mapping in messages; empty for a whole file.
  Section(const YamlNode& node, std::string path, Diagnostics& diagnostics);
  /// For describing.
  explicit Section(std::shared_ptr<SchemaObject> schema);
  Section(Section&&) noexcept;
  Section& operator=(Section&&) = delete;
  ~Section();

  using Text = std::string_view;

  // Required keys.
  std::int64_t integer(Text key, Text description, IntegerRange range = {}) {
    return value(key, description, types::whole_number(range));
  }
  int count(Text key, Text description, IntegerRange range = kCounts) {
    return value(key, description, types::count(range));
  }
  double number(Text key, Text description, const NumberRange& range = {}) {
    return value(key, description, types::number(range));
  }
  double fraction(Text key, Text description) { return value(key, description, types::fraction()); }
  bool boolean(Text key, Text description) { return value(key, description, types::boolean()); }
  std::string text(Text key, Text description) { return value(key, description, types::text()); }
  Seconds seconds(Text key, Text description) { return value(key, description, types::time()); }
  Bytes bytes(Text key, Text description) { return value(key, description, types::size()); }
  BytesPerSecond bandwidth(Text key, Text description) {
    return value(key, description, types::bandwidth());
  }
  FlopPerSecond flop_rate(Text key, Text description) {
    return value(key, description, types::flop_rate());
  }
  template <class E>
  E choice(Text key, Text description, Choices<E> choices) {
    return value(key, description, types::one_of(std::move(choices)));
  }

  // Keys that may be missing, with what holds then. `find` is for those without a default.
  std::int64_t optional_integer(Text key, Text description, std::int64_t fallback,
                                IntegerRange range = {}) {
    return value_or(key, description, types::whole_number(range), fallback);
  }
  int optional_count(Text key, Text description, int fallback, IntegerRange range = kCounts) {
    return value_or(key, description, types::count(range), fallback);
  }
  double optional_number(Text key, Text description, double fallback,
                         const NumberRange& range = {}) {
    return value_or(key, description, types::number(range), fallback);
  }
  double optional_fraction(Text key, Text description, double fallback) {
    return value_or(key, description, types::fraction(), fallback);
  }
  bool optional_boolean(Text key, Text description, bool fallback) {
    return value_or(key, description, types::boolean(), fallback);
  }
  std::string optional_text(Text key, Text description, std::string fallback) {
    return value_or(key, description, types::text(), std::move(fallback));
  }
  Seconds optional_seconds(Text key, Text description, Seconds fallback) {
    return value_or(key, description, types::time(), fallback);
  }
  Bytes optional_bytes(Text key, Text description, Bytes fallback) {
    return value_or(key, description, types::size(), fallback);
  }
  BytesPerSecond optional_bandwidth(Text key, Text description, BytesPerSecond fallback) {
    return value_or(key, description, types::bandwidth(), fallback);
  }
  FlopPerSecond optional_flop_rate(Text key, Text description, FlopPerSecond fallback) {
    return value_or(key, description, types::flop_rate(), fallback);
  }
  template <class E>
  E optional_choice(Text key, Text description, E fallback, Choices<E> choices) {
    return value_or(key, description, types::one_of(std::move(choices)), fallback);
  }

  // The same for any type: `value("sigma", "...", types::number({.above = 0.0}))`.
  template <class T>
  T value(Text key, Text description, const ValueType<T>& type);
  template <class T>
  T value_or(Text key, Text description, const ValueType<T>& type, T fallback);
  template <class T>
  std::optional<T> find(Text key, Text description, const ValueType<T>& type);

  template <class T>
  std::vector<T> list(Text key, Text description, const ValueType<T>& item, ListSize size = {});
  template <class T>
  std::vector<T> optional_list(Text key, Text description, const ValueType<T>& item,
                               std::vector<T> fallback, ListSize size = {});

  /// A mapping under `key`. When there is none, the returned section reads as defaults in silence.
  [[nodiscard]] Section subsection(Text key, Text description);
  /// A mapping that may be missing. When describing, there is one.
  [[nodiscard]] std::optional<Section> optional_subsection(Text key, Text description);

  /// A list of mappings, each read by `T read(Section)`.
  template <class Read>
  auto sections(Text key, Text description, Read&& read, ListSize size = {});
  /// The same where the list may be missing, which is an empty list.
  template <class Read>
  auto optional_sections(Text key, Text description, Read&& read, ListSize size = {});

  /// A section whose further keys depend on the name under `key`.
  template <class T>
  T variant(Text key, Text description, const std::vector<Variant<T>>& variants);

  /// A catalog entry's name, or a mapping, whose `base` may name the entry it changes.
  template <class Read>
  auto catalog_entry(Text key, Text description, const Catalog& catalog, Read&& read);

  /// What is under an optional `key`, whatever it is; nullptr when missing or describing.
  /// @param schema  what the schema says about it.
  const YamlNode* raw(Text key, Text description, const Json& schema = Json::object());

  /// Whether the file gives `key`. For checks across keys: it does not count as asking.
  [[nodiscard]] bool has(Text key) const;

  /// Where a file named under `key` is: beside the YAML file that names it, else (given on the
  /// command line, or not there) as given.
  [[nodiscard]] std::filesystem::path file_beside(Text key, const std::string& name) const;

  /// True when this is reading and no problem was recorded since the section was opened, its
  /// subsections included: the condition for checks across keys.
  [[nodiscard]] bool ok() const;

  /// Records a problem at `key`, or at the section where the file does not give it. The key may be
  /// a dotted path into subsections and items of lists (`links[2].from`); the place is then that
  /// of the last key the file gives.
  void problem(Text key, Text text);
  /// Records a problem with the section as a whole.
  void problem(Text text);

  /// Reports every key nobody asked for. Nothing can be asked afterwards.
  void finish();

  /// For problems that this class cannot phrase. Neither may be used when describing.
  [[nodiscard]] Diagnostics& diagnostics() const;
  [[nodiscard]] std::string path(Text key) const;

 private:
  struct State;
  static constexpr IntegerRange kCounts{.min = 1, .max = std::numeric_limits<int>::max()};
  Section();  // with nothing to read

  [[nodiscard]] bool is_describing() const;
  void describe_leaf(Text key, Text description, bool is_required, const Json& schema);
  Section describe_nested(Text key, Text description, bool is_required, SchemaObject::Shape shape,
                          const Json& extra = Json::object());
  Section describe_branch(Text key, const std::string& name);

  const YamlNode* ask(Text key);
  const YamlNode* require(Text key, Text expected);
  void refuse(const YamlNode& given, const std::string& path, Text expected, Text hint);
  const std::vector<YamlNode>* items_of(const YamlNode& node, Text key, Text expected_item,
                                        ListSize size);
  void close_early();
  void also_known(Text key);

  template <class Read>
  auto read_sections(Text key, Text description, bool is_required, Read&& read, ListSize size);
  template <class T>
  std::optional<T> scalar(const YamlNode& node, const std::string& path, const ValueType<T>& type);
  template <class T>
  std::vector<T> scalars(const YamlNode& node, Text key, const ValueType<T>& item, ListSize size);

  std::unique_ptr<State> state_;
};

/// The JSON Schema (draft 2020-12) of the files that `read(Section)` reads.
template <class Read>
[[nodiscard]] Json json_schema(std::string_view title, Read&& read) {
  const auto object = std::make_shared<SchemaObject>();
  (void)read(Section{object});
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(object->to_json());
  return schema;
}

/// Reads a whole file's tree with `read(Section)`.
/// @throws ConfigError with every problem that was found.
template <class Read>
[[nodiscard]] auto read_document(const YamlNode& root, Read&& read) {
  Diagnostics diagnostics;
  auto result = read(Section{root, "", diagnostics});
  diagnostics.throw_if_any();
  return result;
}

}  // namespace switchyard

#include "sim/cli/section_impl.hpp"
