#include "sim/cli/schema.hpp"

#include <gtest/gtest.h>

#include "sim/cli/section.hpp"

namespace switchyard {
namespace {

enum class Precision { kFloat32, kBfloat16 };

int read_link(Section section) {
  (void)section.bandwidth("bandwidth", "Rate in one direction.");
  (void)section.optional_seconds("latency", "Time of an empty message.", Seconds{2e-6});
  section.finish();
  return 0;
}

TEST(JsonSchema, SaysWhatTheReaderAsks) {
  const Json schema = json_schema("Experiment", [](Section section) {
    (void)section.text("name", "What results are called.");
    (void)section.count("ranks", "Devices.", {.min = 1, .max = 64});
    (void)section.optional_number("capacity_factor", "Slots per token.", 1.25, {.above = 0.0});
    (void)section.optional_choice<Precision>(
        "precision", "Number format.", Precision::kBfloat16,
        {{"float32", Precision::kFloat32}, {"bfloat16", Precision::kBfloat16}});
    (void)section.list("sizes", "Sizes to try.", types::size(), {.min = 1});
    (void)section.raw("sweep", "Values to try.", {{"type", "object"}});
    EXPECT_FALSE(section.ok());
    EXPECT_FALSE(section.has("name"));
    section.problem("name", "nothing is read, so nothing is wrong");
    section.finish();
    return 0;
  });
  const auto unit_pattern = schema["properties"]["sizes"]["items"]["pattern"];
  EXPECT_EQ(schema, Json::parse(R"({
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Experiment",
    "type": "object",
    "properties": {
      "name": {"description": "What results are called.", "type": "string", "minLength": 1},
      "ranks": {"description": "Devices.", "type": "integer", "minimum": 1, "maximum": 64},
      "capacity_factor": {"description": "Slots per token.", "type": "number",
                          "exclusiveMinimum": 0.0, "default": 1.25},
      "precision": {"description": "Number format.", "enum": ["float32", "bfloat16"],
                    "default": "bfloat16"},
      "sizes": {"description": "Sizes to try.", "type": "array",
                "items": {"type": "string", "pattern": "", "examples": ["16 GiB", "512 MB"]},
                "minItems": 1},
      "sweep": {"description": "Values to try.", "type": "object"}
    },
    "required": ["name", "ranks", "sizes"],
    "additionalProperties": false
  })")
                        .patch({{{"op", "replace"},
                                 {"path", "/properties/sizes/items/pattern"},
                                 {"value", unit_pattern}}}));
}

TEST(JsonSchema, NestsSections) {
  const Json schema = json_schema("Fabric", [](Section section) {
    // Both at once: neither may disturb the other.
    Section uplink = section.subsection("uplink", "Leaf to spine.");
    std::optional<Section> backup = section.optional_subsection("backup", "When uplinks fail.");
    (void)section.sections("rails", "One per rail.", read_link, {.min = 1});
    section.finish();
    return read_link(std::move(uplink)) + read_link(*std::move(backup));
  });
  EXPECT_EQ(schema["required"], Json({"uplink", "rails"}));
  const Json& link = schema["properties"]["uplink"];
  EXPECT_EQ(link["description"], "Leaf to spine.");
  EXPECT_EQ(link["required"], Json::array({"bandwidth"}));
  EXPECT_EQ(link["properties"]["latency"]["default"], "2 us");
  EXPECT_EQ(link["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["backup"]["properties"], link["properties"]);
  EXPECT_EQ(schema["properties"]["rails"]["items"]["properties"], link["properties"]);
  EXPECT_EQ(schema["properties"]["rails"]["minItems"], 1);
}

TEST(JsonSchema, DescribesEveryVariant) {
  const Json schema = json_schema("Routing", [](Section section) {
    const std::vector<Variant<double>> variants{
        {"uniform", [](Section& /*section*/) { return 0.0; }},
        {"zipf", [](Section& s) { return s.number("exponent", "Steepness."); }}};
    (void)section.variant<double>("kind", "How tokens choose.", variants);
    section.finish();
    return 0;
  });
  EXPECT_EQ(schema["properties"]["kind"]["enum"], Json({"uniform", "zipf"}));
  EXPECT_EQ(schema["allOf"][1], Json::parse(R"({
    "if": {"properties": {"kind": {"const": "zipf"}}, "required": ["kind"]},
    "then": {"properties": {"exponent": {"description": "Steepness.", "type": "number"}},
             "required": ["exponent"]}
  })"));
  EXPECT_EQ(schema["unevaluatedProperties"], false);
}

TEST(JsonSchema, LetsACatalogEntryBeANameOrLeaveKeysToItsBase) {
  const Catalog catalog{.names = {"slow", "fast"}, .load = {}};
  const Json schema = json_schema("Run", [&](Section section) {
    (void)section.catalog_entry("link", "The link.", catalog, read_link);
    section.finish();
    return 0;
  });
  const Json& link = schema["properties"]["link"];
  EXPECT_EQ(link["description"], "The link.");
  EXPECT_EQ(link["anyOf"][0], Json::parse(R"({"type": "string", "examples": ["slow", "fast"]})"));
  EXPECT_EQ(link["anyOf"][1]["properties"]["base"]["type"], "string");
  EXPECT_TRUE(link["anyOf"][1]["properties"].contains("bandwidth"));
  EXPECT_FALSE(link["anyOf"][1].contains("required"));
}

}  // namespace
}  // namespace switchyard
