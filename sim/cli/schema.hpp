#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cli/value_type.hpp"

namespace switchyard {

/// What a reader told of the keys of one mapping; filled by a describing Section.
struct SchemaObject {
  /// How a nested mapping stands under its key.
  enum class Shape { kMapping, kListOfMappings, kCatalogEntry };

  struct Property {
    std::string name;
    bool is_required = true;
    Json json = Json::object();                 ///< schema of a leaf; extra keywords of a mapping
    std::shared_ptr<SchemaObject> object = {};  ///< nullptr for a leaf
    Shape shape = Shape::kMapping;
  };
  /// Keys that are there when `key` has the value `name`.
  struct Branch {
    std::string key;
    std::string name;
    std::shared_ptr<SchemaObject> object;
  };

  std::vector<Property> properties;  ///< in the order in which the reader asks
  std::vector<Branch> branches;

  /// Adds a property. A key the reader asks for twice is described by the first time.
  void add(Property property);

  /// The mapping as JSON Schema, closed against other keys.
  [[nodiscard]] Json to_json() const;
};

}  // namespace switchyard
