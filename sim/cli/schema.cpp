#include "sim/cli/schema.hpp"

#include <algorithm>

namespace switchyard {
namespace {

/// Lets keys be left out at every level, as they may be when `base` brings them.
void make_optional(Json& schema) {
  if (!schema.is_structured()) return;
  if (schema.is_object()) {
    if (schema.contains("required") && schema["required"].is_array()) schema.erase("required");
    schema.erase("unevaluatedProperties");  // a branch may be chosen by the base
  }
  for (auto& [keyword, value] : schema.items())
    if (keyword != "if") make_optional(value);
}

Json catalog_entry(Json mapping, const Json& names) {
  make_optional(mapping);
  mapping["properties"]["base"] = {{"description", "The entry of the catalog that this changes."},
                                   {"type", "string"}};
  return {{"anyOf", {{{"type", "string"}, {"examples", names}}, std::move(mapping)}}};
}

Json property_json(const SchemaObject::Property& property) {
  if (property.object == nullptr) return property.json;
  Json json = property.json;
  switch (property.shape) {
    case SchemaObject::Shape::kMapping:
      json.update(property.object->to_json());
      break;
    case SchemaObject::Shape::kListOfMappings:
      json["type"] = "array";
      json["items"] = property.object->to_json();
      break;
    case SchemaObject::Shape::kCatalogEntry: {
      const Json names = json["examples"];
      json.erase("examples");
      json.update(catalog_entry(property.object->to_json(), names));
      break;
    }
  }
  return json;
}

/// `properties`, `required` and the branches, without what closes the object.
Json open_object(const SchemaObject& object) {
  Json schema = Json::object();
  Json required = Json::array();
  schema["properties"] = Json::object();
  for (const SchemaObject::Property& property : object.properties) {
    schema["properties"][property.name] = property_json(property);
    if (property.is_required) required.push_back(property.name);
  }
  if (!required.empty()) schema["required"] = required;
  for (const SchemaObject::Branch& branch : object.branches)
    schema["allOf"].push_back({{"if",
                                {{"properties", {{branch.key, {{"const", branch.name}}}}},
                                 {"required", Json::array({branch.key})}}},
                               {"then", open_object(*branch.object)}});
  return schema;
}

}  // namespace

void SchemaObject::add(Property property) {
  if (std::ranges::find(properties, property.name, &Property::name) == properties.end())
    properties.push_back(std::move(property));
}

Json SchemaObject::to_json() const {
  Json schema = {{"type", "object"}};
  schema.update(open_object(*this));
  // "additionalProperties" does not see the keys that a branch adds.
  schema[branches.empty() ? "additionalProperties" : "unevaluatedProperties"] = false;
  return schema;
}

}  // namespace switchyard
