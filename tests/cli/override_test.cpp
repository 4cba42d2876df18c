#include "sim/cli/override.hpp"

#include <gtest/gtest.h>

#include "sim/cli/section.hpp"
#include "sim/cli/yaml_document.hpp"
#include "tests/cli/config_error_text.hpp"

namespace switchyard {
namespace {

YamlNode document() {
  return parse_yaml(
      "model: switch-base\n"
      "routing: {capacity_factor: 1.25, top_k: 1}\n"
      "tiers:\n"
      "  - {links: 4}\n"
      "  - {links: 8}\n",
      "f.yaml");
}

std::string override_error(const std::string& assignment) {
  YamlNode root = document();
  return config_error_text([&] {
    apply_override(root, assignment);
    return 0;
  });
}

TEST(ApplyOverride, ReplacesAValue) {
  YamlNode root = document();
  apply_override(root, "routing.capacity_factor=2.0");
  EXPECT_EQ(root.find("routing")->value.find("capacity_factor")->value.scalar, "2.0");
  EXPECT_EQ(root.find("routing")->value.find("top_k")->value.scalar, "1");
}

TEST(ApplyOverride, FindsItemsOfLists) {
  YamlNode root = document();
  apply_override(root, "tiers[1].links=16");
  EXPECT_EQ(root.find("tiers")->value.items[0].find("links")->value.scalar, "4");
  EXPECT_EQ(root.find("tiers")->value.items[1].find("links")->value.scalar, "16");
}

TEST(ApplyOverride, CreatesMissingMappings) {
  YamlNode root = document();
  apply_override(root, "a.b.\"c.d\"=[1, {x: y=z}]");
  const YamlNode& list = root.find("a")->value.find("b")->value.find("c.d")->value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[1].find("x")->value.scalar, "y=z");
}

TEST(ApplyOverride, TurnsANameIntoTheBaseOfItsChanges) {
  YamlNode root = document();
  apply_override(root, "model.experts=128");
  const YamlNode& model = root.find("model")->value;
  EXPECT_EQ(model.find("base")->value.scalar, "switch-base");
  EXPECT_EQ(to_string(model.find("base")->value.place), "f.yaml:1:8");
  EXPECT_EQ(model.find("experts")->value.scalar, "128");
}

TEST(ApplyOverride, TakesThePlaceOfWhatItReplaces) {
  YamlNode root = document();
  apply_overrides(
      root, std::vector<std::string>{"routing.capacity_factor=abc", "routing.topk=2", "tiers=[]"});
  Diagnostics diagnostics;
  Section section{root, "", diagnostics};
  section.text("model", "");
  Section routing = section.subsection("routing", "");
  routing.number("capacity_factor", "", {.above = 0.0});
  routing.count("top_k", "");
  routing.problem("capacity_factor", "does not suit");
  routing.finish();
  section.problem("tiers", "is empty");
  (void)section.raw("tiers", "");
  section.finish();
  EXPECT_EQ(diagnostics.report(),
            "--set routing.capacity_factor=abc: routing.capacity_factor: expected a number above "
            "0, got \"abc\"\n"
            "--set routing.capacity_factor=abc: routing.capacity_factor: does not suit\n"
            "--set routing.topk=2: routing.topk: unknown key; did you mean \"top_k\"?\n"
            "--set tiers=[]: tiers: is empty");
}

TEST(ApplyOverride, RefusesWhatIsNoAssignment) {
  for (const std::string bad : {"", "=", "=1", "a", "a..b=1", ".a=1", "a.=1", "a[x]=1", "a[1=1",
                                "[0]=1", "a[-1]=1", "\"a=1", "a[0]b=1", "a\"b\"=1"})
    EXPECT_EQ(override_error(bad), "--set " + bad +
                                       ": expected path=value, such as "
                                       "routing.capacity_factor=1.25");
}

TEST(ApplyOverride, RefusesPathsThatLeadNowhere) {
  EXPECT_EQ(override_error("tiers.links=1"),
            "--set tiers.links=1: tiers: is a list; expected an index in the path, such as [0]");
  EXPECT_EQ(override_error("tiers[2].links=1"),
            "--set tiers[2].links=1: tiers: has 2 items, counted from 0; there is no item 2");
  EXPECT_EQ(override_error("routing[0]=1"),
            "--set routing[0]=1: routing: expected a list with an item 0, got a mapping");
}

TEST(ApplyOverride, RefusesValuesThatAreNoFlowYaml) {
  EXPECT_EQ(override_error("a=[1, 2"), "--set a=[1, 2: [2]: expected \",\" or \"]\"");
  EXPECT_EQ(override_error("a=b: 1"),
            "--set a=b: 1: expected a list in brackets, a mapping in braces or text in quotes");
  EXPECT_EQ(override_error("a=&x 1"),
            "--set a=&x 1: anchors are not accepted, got \"&x\"; write the value out where it is "
            "needed");
}

TEST(ApplyOverrides, ReportsAllProblemsTogether) {
  YamlNode root = document();
  const std::vector<std::string> assignments{"a", "tiers.x=1"};
  EXPECT_EQ(config_error_text([&] {
              apply_overrides(root, assignments);
              return 0;
            }),
            "--set a: expected path=value, such as routing.capacity_factor=1.25\n"
            "--set tiers.x=1: tiers: is a list; expected an index in the path, such as [0]");
}

TEST(SetValue, ReportsProblemsWithThePathWhereItIsWritten) {
  YamlNode root = document();
  const YamlNode sweep = parse_yaml("sweep: {\"routing..top_k\": [1], tiers.x: [2]}\n", "f.yaml");
  Diagnostics diagnostics;
  for (const YamlNode::Entry& axis : sweep.find("sweep")->value.entries)
    set_value(root, axis.key, axis.key_place, axis.value.items[0], diagnostics);
  EXPECT_EQ(diagnostics.report(),
            "f.yaml:1:9: expected a key path, such as \"routing.capacity_factor\", got "
            "\"routing..top_k\"\n"
            "f.yaml:1:32: tiers: is a list; expected an index in the path, such as [0]");
}

TEST(SetValue, PlacesANewKeyAtThePathAndAChangedOneAtTheValue) {
  YamlNode root = document();
  const YamlNode set = parse_yaml("{routing.topk: 2, routing.top_k: 3}\n", "s.yaml");
  Diagnostics diagnostics;
  for (const YamlNode::Entry& change : set.entries)
    set_value(root, change.key, change.key_place, change.value, diagnostics);
  const YamlNode& routing = root.find("routing")->value;
  EXPECT_EQ(to_string(routing.find("topk")->key_place), "s.yaml:1:2");
  EXPECT_EQ(to_string(routing.find("top_k")->key_place), "s.yaml:1:34");
}

}  // namespace
}  // namespace switchyard
