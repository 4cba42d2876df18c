#include "sim/cli/section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cli/yaml_document.hpp"
#include "tests/cli/config_error_text.hpp"

namespace switchyard {
namespace {

using testing::ElementsAre;

struct Link {
  BytesPerSecond bandwidth;
  Seconds latency;
};

Link read_link(Section section) {
  Link link{.bandwidth = section.bandwidth("bandwidth", "Rate in one direction."),
            .latency = section.seconds("latency", "Time of an empty message.")};
  section.finish();
  return link;
}

struct Fabric {
  int num_leaves = 0;
  int hosts_per_leaf = 0;
  Link host_link;
};

Fabric read_fabric(Section section) {
  Fabric fabric{.num_leaves = section.count("num_leaves", "Leaf switches."),
                .hosts_per_leaf = section.count("hosts_per_leaf", "Hosts on each leaf."),
                .host_link = read_link(section.subsection("host_link", "Host to leaf."))};
  section.finish();
  return fabric;
}

Fabric read_experiment(Section section) {
  Fabric fabric = read_fabric(section.subsection("fabric", "The network."));
  section.finish();
  return fabric;
}

/// Problems that `ask(section)` meets in `yaml`; finish() is called on its behalf.
template <class Ask>
std::string problems(const std::string& yaml, Ask ask) {
  const YamlNode root = parse_yaml(yaml, "f.yaml");
  return config_error_text([&] {
    return read_document(root, [&](Section section) {
      ask(section);
      section.finish();
      return 0;
    });
  });
}

TEST(Section, ReadsAFile) {
  const YamlNode root = parse_yaml(
      "fabric:\n"
      "  num_leaves: 4\n"
      "  hosts_per_leaf: 8\n"
      "  host_link: {bandwidth: 400 Gbps, latency: \"1.5 us\"}\n",
      "f.yaml");
  const Fabric fabric = read_document(root, read_experiment);
  EXPECT_EQ(fabric.num_leaves, 4);
  EXPECT_EQ(fabric.hosts_per_leaf, 8);
  EXPECT_DOUBLE_EQ(fabric.host_link.bandwidth.base(), 50e9);  // 400 Gbit/s over 8
  EXPECT_DOUBLE_EQ(fabric.host_link.latency.base(), 1.5e-6);
}

TEST(Section, ReportsEveryProblemWithItsPlace) {
  const YamlNode root = parse_yaml(
      "name: x\n"
      "fabric:\n"
      "  num_leaves: 0\n"
      "  hosts_per_leef: 8\n"
      "  host_link: {bandwidth: 400, latency: [1 us]}\n",
      "bad.yaml");
  EXPECT_EQ(config_error_text([&] { return read_document(root, read_experiment); }),
            "bad.yaml:1:1: name: unknown key; known here: fabric\n"
            "bad.yaml:3:3: fabric.hosts_per_leaf: missing; expected a whole number of at least 1\n"
            "bad.yaml:3:15: fabric.num_leaves: expected a whole number of at least 1, got \"0\"\n"
            "bad.yaml:4:3: fabric.hosts_per_leef: unknown key; did you mean \"hosts_per_leaf\"?\n"
            "bad.yaml:5:26: fabric.host_link.bandwidth: expected a bandwidth with a unit, such as "
            "\"400 Gbps\" or \"50 GB/s\", got \"400\"\n"
            "bad.yaml:5:40: fabric.host_link.latency: expected a time with a unit, such as "
            "\"2 us\", got a list");
}

TEST(Section, ReportsAMissingSectionOnceAndNothingInIt) {
  const YamlNode root = parse_yaml("fabric: {num_leaves: 1, hosts_per_leaf: 1}\n", "f.yaml");
  EXPECT_EQ(config_error_text([&] { return read_document(root, read_experiment); }),
            "f.yaml:1:9: fabric.host_link: missing; expected a mapping of keys to values");
}

TEST(Section, RefusesWhatIsNoMapping) {
  const auto error = [](const std::string& yaml) {
    return config_error_text(
        [&] { return read_document(parse_yaml(yaml, "f.yaml"), read_experiment); });
  };
  EXPECT_EQ(error("[1]\n"), "f.yaml:1:1: expected a mapping of keys to values, got a list");
  EXPECT_EQ(error("fabric:\n"),
            "f.yaml:1:1: fabric: expected a mapping of keys to values, got nothing");
  EXPECT_EQ(error("fabric: ring\n"),
            "f.yaml:1:9: fabric: expected a mapping of keys to values, got \"ring\"");
}

TEST(Section, GoesOnWithValuesInRangeAfterAFailure) {
  (void)problems("a: x\nb: x\nc: x\nd: [1, x]\ne: x\n", [](Section& section) {
    EXPECT_EQ(section.count("a", ""), 1);
    EXPECT_EQ(section.optional_count("b", "", 7), 7);
    EXPECT_GT(section.bandwidth("c", "").base(), 0.0);
    EXPECT_THAT(section.list("d", "", types::count()), ElementsAre(1, 1));
    EXPECT_DOUBLE_EQ(section.number("e", "", {.above = 2.0, .max = 4.0}), 3.0);
    EXPECT_EQ(section.integer("missing", "", {.max = -5}), -5);
  });
}

TEST(Section, UsesDefaultsOnlyForMissingKeys) {
  EXPECT_EQ(
      problems(
          "a: 2\nb:\n",
          [](Section& section) {
            EXPECT_EQ(section.optional_integer("a", "", 5), 2);
            EXPECT_EQ(section.optional_integer("b", "", 5), 5);
            EXPECT_EQ(section.optional_text("c", "", "d"), "d");
            EXPECT_EQ(section.find("e", "", types::number()), std::nullopt);
            EXPECT_FALSE(section.optional_subsection("f", "").has_value());
            EXPECT_THAT(section.optional_list("g", "", types::count(), {1, 2}), ElementsAre(1, 2));
          }),
      "f.yaml:2:1: b: expected a whole number, got nothing");
}

TEST(Section, ReadsLists) {
  EXPECT_EQ(problems("a: [1, 2]\nb: 3\nc: [1, x, [2]]\nd: []\ne: {f: 1}\n",
                     [](Section& section) {
                       EXPECT_THAT(section.list("a", "", types::count()), ElementsAre(1, 2));
                       (void)section.list("b", "", types::count());
                       (void)section.list("c", "", types::number());
                       EXPECT_THAT(section.list("d", "", types::count(), {.min = 1}),
                                   ElementsAre(1));
                       (void)section.list("e", "", types::text(), {.min = 2, .max = 3});
                     }),
            "f.yaml:2:4: b: expected a list, each item a whole number of at least 1, got \"3\"; "
            "write [3]\n"
            "f.yaml:3:8: c[1]: expected a number, got \"x\"\n"
            "f.yaml:3:11: c[2]: expected a number, got a list\n"
            "f.yaml:4:4: d: expected a list of at least 1 item, each item a whole number of at "
            "least 1, got 0 items\n"
            "f.yaml:5:4: e: expected a list of 2 to 3 items, each item text, got a mapping");
}

TEST(Section, ReadsListsOfSections) {
  EXPECT_EQ(problems("links:\n"
                     "  - {bandwidth: 1 GB/s, latency: 0 s}\n"
                     "  - {bandwidth: 0 GB/s, latency: -1 us}\n"
                     "  - 5\n",
                     [](Section& section) {
                       EXPECT_EQ(section.sections("links", "", read_link).size(), 3U);
                     }),
            "f.yaml:3:17: links[1].bandwidth: expected a bandwidth with a unit, such as "
            "\"400 Gbps\" or \"50 GB/s\", got \"0 GB/s\"; it must be above zero\n"
            "f.yaml:3:34: links[1].latency: expected a time with a unit, such as \"2 us\", got "
            "\"-1 us\"; it cannot be negative\n"
            "f.yaml:4:5: links[2]: expected a mapping of keys to values, got \"5\"");
}

enum class Precision { kFloat32, kBfloat16 };

TEST(Section, ReadsChoices) {
  const Choices<Precision> choices{{"float32", Precision::kFloat32},
                                   {"bfloat16", Precision::kBfloat16}};
  EXPECT_EQ(problems("a: bfloat16\nb: bfloat61\nc: int8\n",
                     [&](Section& section) {
                       EXPECT_EQ(section.choice("a", "", choices), Precision::kBfloat16);
                       (void)section.choice("b", "", choices);
                       (void)section.choice("c", "", choices);
                       EXPECT_EQ(section.optional_choice("d", "", Precision::kBfloat16, choices),
                                 Precision::kBfloat16);
                     }),
            "f.yaml:2:4: b: expected one of float32, bfloat16, got \"bfloat61\"; did you mean "
            "\"bfloat16\"?\n"
            "f.yaml:3:4: c: expected one of float32, bfloat16, got \"int8\"");
}

std::string read_routing(Section& section) {
  const std::vector<Variant<double>> variants{
      {"uniform", [](Section& /*section*/) { return 0.0; }},
      {"zipf", [](Section& s) { return s.number("exponent", "", {.min = 0.0}); }}};
  return std::to_string(section.variant<double>("kind", "", variants));
}

TEST(Section, ReadsTheKeysOfTheVariantThatIsNamed) {
  EXPECT_EQ(problems("{kind: zipf, exponent: 1}\n",
                     [](Section& s) { EXPECT_EQ(read_routing(s), std::to_string(1.0)); }),
            "no error");
  EXPECT_EQ(problems("{kind: uniform, exponent: 1}\n", read_routing),
            "f.yaml:1:17: exponent: unknown key; known here: kind");
  EXPECT_EQ(problems("{kind: zipff, exponent: 1, other: 2}\n", read_routing),
            "f.yaml:1:8: kind: expected one of uniform, zipf, got \"zipff\"; did you mean "
            "\"zipf\"?");
}

TEST(Section, PlacesChecksAcrossKeysAtTheKey) {
  EXPECT_EQ(problems("experts: 7\nranks: 2\n",
                     [](Section& section) {
                       const int experts = section.count("experts", "");
                       const int ranks = section.count("ranks", "");
                       EXPECT_TRUE(section.has("ranks"));
                       EXPECT_FALSE(section.has("top_k"));
                       ASSERT_TRUE(section.ok());
                       if (experts % ranks != 0)
                         section.problem("experts", "7 experts do not divide over 2 ranks");
                       section.problem("top_k", "is needed with 7 experts");
                       EXPECT_FALSE(section.ok());
                     }),
            "f.yaml:1:1: experts: 7 experts do not divide over 2 ranks\n"
            "f.yaml:1:1: top_k: is needed with 7 experts");
}

TEST(Section, PlacesChecksAcrossSectionsAtTheLastKeyThatIsThere) {
  EXPECT_EQ(problems("x: 1\nbatch: {sequences: 7}\n",
                     [](Section& section) {
                       (void)section.raw("x", "");
                       (void)section.raw("batch", "");
                       section.problem("batch.sequences", "7 does not divide");
                       section.problem("batch.tokens", "is needed");
                       section.problem("routing.top_k", "is needed");
                     }),
            "f.yaml:1:1: routing.top_k: is needed\n"
            "f.yaml:2:1: batch.tokens: is needed\n"
            "f.yaml:2:9: batch.sequences: 7 does not divide");
}

TEST(Section, IsNotOkAfterAProblemInASubsection) {
  (void)problems("link: {bandwidth: 1}\n", [](Section& section) {
    EXPECT_TRUE(section.ok());
    (void)read_link(section.subsection("link", ""));
    EXPECT_FALSE(section.ok());
  });
}

TEST(Section, GivesRawNodes) {
  (void)problems("sweep: {\"routing.top_k\": [1, 2]}\n", [](Section& section) {
    const YamlNode* sweep = section.raw("sweep", "");
    ASSERT_NE(sweep, nullptr);
    EXPECT_EQ(sweep->entries[0].key, "routing.top_k");
    EXPECT_EQ(section.raw("other", ""), nullptr);
  });
}

TEST(SectionDeathTest, AbortsWhenAReaderDoesNotFinish) {
  const YamlNode root = parse_yaml("a: 1\n", "f.yaml");
  Diagnostics diagnostics;
  EXPECT_DEATH({ Section(root, "x", diagnostics); }, "the reader of \"x\" does not call finish");
}

Catalog links() {
  return {.names = {"slow", "fast", "loop"},
          .load = [](const std::string& name) -> std::optional<YamlNode> {
            if (name == "slow")
              return parse_yaml("bandwidth: 1 GB/s\nlatency: 5 us\n", "catalog/slow.yaml");
            if (name == "fast")
              return parse_yaml("base: slow\nbandwidth: 9 GBs\n", "catalog/fast.yaml");
            if (name == "loop") return parse_yaml("base: loop\n", "catalog/loop.yaml");
            return std::nullopt;
          }};
}

std::string catalog_problems(const std::string& yaml) {
  return problems(
      yaml, [](Section& section) { (void)section.catalog_entry("link", "", links(), read_link); });
}

TEST(CatalogEntry, IsANameOrAMappingOrBoth) {
  EXPECT_EQ(catalog_problems("link: slow\n"), "no error");
  EXPECT_EQ(catalog_problems("link: {bandwidth: 1 GB/s, latency: 1 us}\n"), "no error");
  (void)problems("link: {base: slow, latency: 1 us}\n", [](Section& section) {
    const Link link = section.catalog_entry("link", "", links(), read_link);
    EXPECT_DOUBLE_EQ(link.bandwidth.base(), 1e9);
    EXPECT_DOUBLE_EQ(link.latency.base(), 1e-6);
  });
}

TEST(CatalogEntry, NamesTheFileOfEachProblem) {
  EXPECT_EQ(catalog_problems("link: {base: fast, latency: 1, bas: 2}\n"),
            "f.yaml:1:29: link.latency: expected a time with a unit, such as \"2 us\", got \"1\"\n"
            "f.yaml:1:32: link.bas: unknown key; did you mean \"base\"?\n"
            "catalog/fast.yaml:2:12: link.bandwidth: expected a bandwidth with a unit, such as "
            "\"400 Gbps\" or \"50 GB/s\", got \"9 GBs\"");
}

TEST(CatalogEntry, RefusesWhatItDoesNotHave) {
  EXPECT_EQ(catalog_problems("link: slwo\n"),
            "f.yaml:1:7: link: \"slwo\" is not in the catalog; did you mean \"slow\"?");
  EXPECT_EQ(catalog_problems("link: {base: infiniband}\n"),
            "f.yaml:1:14: link: \"infiniband\" is not in the catalog; it has slow, fast, loop");
  EXPECT_EQ(catalog_problems("link: [slow]\n"),
            "f.yaml:1:7: link: expected the name of a catalog entry, got a list");
  EXPECT_EQ(catalog_problems("link: loop\n"),
            "catalog/loop.yaml:1:7: link: more than 8 bases, one upon the other; do they form a "
            "circle?");
}

}  // namespace
}  // namespace switchyard
