#include "sim/cli/yaml_document.hpp"

#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/config_error_text.hpp"

namespace switchyard {
namespace {

std::string parse_error(std::string_view yaml) {
  return config_error_text([&] { return parse_yaml(yaml, "f.yaml"); });
}

std::string at(const Place& place) { return to_string(place); }

TEST(ParseYaml, KeepsValuesOrderAndPlaces) {
  const YamlNode root = parse_yaml("b: 1\na: {x: \"2\", y: [u, v]}\nc:\n", "f.yaml");
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].key, "b");
  EXPECT_EQ(root.entries[0].value.scalar, "1");
  EXPECT_FALSE(root.entries[0].value.is_quoted);
  const YamlNode& x = root.find("a")->value.find("x")->value;
  EXPECT_TRUE(x.is_quoted);
  EXPECT_EQ(at(x.place), "f.yaml:2:8");
  EXPECT_EQ(at(root.find("a")->value.find("y")->value.items[1].place), "f.yaml:2:20");
  EXPECT_EQ(root.find("c")->value.kind, YamlNode::Kind::kNothing);
  EXPECT_EQ(at(root.find("c")->value.place), "f.yaml:3:1");
  EXPECT_EQ(root.find("d"), nullptr);
}

TEST(ParseYaml, ReadsWindowsLineEndsAndAByteOrderMark) {
  const YamlNode root = parse_yaml(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
      "f.yaml");
  EXPECT_EQ(at(root.find("a")->key_place), "f.yaml:1:1");
  EXPECT_EQ(at(root.find("b")->key_place), "f.yaml:2:1");
  EXPECT_EQ(root.find("b")->value.scalar, "x\ny\n");
}

TEST(ParseYaml, ReportsAllThatIsRefusedAtOnce) {
  EXPECT_EQ(parse_error("a: &x 1\n"
                        "b: *x\n"
                        "c: !!int 3\n"
                        "d: {e: 1, e: 2}\n"
                        "<<: {f: 1}\n"
                        "g: ! 4\n"
                        "a: 2\n"),
            "f.yaml:1:4: a: anchors are not accepted, got \"&x\"; write the value out where it is "
            "needed\n"
            "f.yaml:2:4: b: aliases are not accepted; write the value out\n"
            "f.yaml:3:4: c: tags are not accepted, got \"!!int\"; leave it out\n"
            "f.yaml:4:11: d.e: duplicate key; it is given first on line 4, column 5\n"
            "f.yaml:5:1: merge keys (<<) are not accepted; write the keys out\n"
            "f.yaml:6:4: g: tags are not accepted, got \"!\"; leave it out\n"
            "f.yaml:7:1: a: duplicate key; it is given first on line 1, column 1");
}

TEST(ParseYaml, FindsDuplicatesHoweverTheyAreWritten) {
  EXPECT_EQ(parse_error("a: 1\n'a': 2\n"),
            "f.yaml:2:1: a: duplicate key; it is given first on line 1, column 1");
  EXPECT_EQ(parse_error("l:\n  - {a: 1}\n  - {a: 1, a: 1}\n"),
            "f.yaml:3:12: l[1].a: duplicate key; it is given first on line 3, column 6");
}

TEST(ParseYaml, RefusesKeysThatAreNoText) {
  EXPECT_EQ(parse_error("[1]: 2\n"), "f.yaml:1:1: expected a key, got a list");
  EXPECT_EQ(parse_error("a: {~: 1}\n"), "f.yaml:1:5: a: expected a key, got nothing");
}

TEST(ParseYaml, RefusesASecondDocument) {
  EXPECT_EQ(parse_error("a: 1\n---\nb: 2\n"),
            "f.yaml:2:1: a second document; expected one document per file");
  EXPECT_EQ(parse_error("{a: 1} b\n"),
            "f.yaml:1:8: expected the end of the file; this does not belong to what is before");
}

TEST(ParseYaml, RefusesAnEmptyFile) {
  for (const auto* empty : {"", "\n\n", "# only a comment\n"})
    EXPECT_EQ(parse_error(empty), "f.yaml:1:1: the file is empty; expected keys and values");
}

TEST(ParseYaml, RefusesWhatIsNoText) {
  EXPECT_EQ(parse_error("a: 1\nb: \xFF\n"), "f.yaml:2:4: expected UTF-8 text, got the byte 0xFF");
  EXPECT_EQ(parse_error("a: \xC0\xAF\n"), "f.yaml:1:4: expected UTF-8 text, got the byte 0xC0");
  EXPECT_EQ(parse_error("a: \xED\xA0\x80\n"), "f.yaml:1:4: expected UTF-8 text, got the byte 0xED");
  EXPECT_EQ(parse_error("a: \xE2\x82"), "f.yaml:1:4: expected UTF-8 text, got the byte 0xE2");
  EXPECT_EQ(parse_error(std::string_view{"a: b\0c", 6}),
            "f.yaml:1:5: expected text, got the control character U+0000");
  EXPECT_EQ(parse_error("a: \x1B[31m"),
            "f.yaml:1:4: expected text, got the control character U+001B");
  EXPECT_EQ(parse_error(std::string_view{"\xFF\xFE"
                                         "a\0",
                                         4}),
            "f.yaml:1:1: expected UTF-8 text, got the byte 0xFF");
}

TEST(ParseYaml, LimitsTheDepth) {
  const auto nested = [](int depth) {
    return "a: " + std::string(depth, '[') + std::string(depth, ']') + "\n";
  };
  EXPECT_EQ(parse_error(nested(63)), "no error");  // the mapping around is the 64th level
  EXPECT_EQ(parse_error(nested(64)), "f.yaml:1:67: nested more than 64 levels deep");
  EXPECT_EQ(parse_error(std::string(1'000'000, '[')),
            "f.yaml:1:10001: too many brackets are open here");
}

struct SyntaxError {
  std::string yaml;
  std::string message;
};

class ParseYamlSyntax : public testing::TestWithParam<SyntaxError> {};

TEST_P(ParseYamlSyntax, IsReportedWithItsPlace) {
  EXPECT_EQ(parse_error(GetParam().yaml), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Errors, ParseYamlSyntax,
    testing::Values(
        SyntaxError{"a: [1, 2\nb: 3\n", "f.yaml:2:2: a[2]: expected \",\" or \"]\""},
        SyntaxError{"a: {b: 1\n", "f.yaml:2:1: a: expected \",\" or \"}\""},
        SyntaxError{"a: 1\n]\n", "f.yaml:2:1: a closing bracket without its opening one"},
        SyntaxError{"a: 1\n- b\n", "f.yaml:2:1: expected another key here"},
        SyntaxError{"a: b: c\n",
                    "f.yaml:1:5: no key can be here; check the indentation, or put text with "
                    "\": \" in quotes"},
        SyntaxError{"a:\n\tb: 1\n", "f.yaml:2:1: a tab; indent with spaces"},
        SyntaxError{"a: @x\n",
                    "f.yaml:1:4: a: nothing can start with this character; put text in quotes"},
        SyntaxError{"a: *.csv\n",
                    "f.yaml:1:4: a: aliases are not accepted; write the value out, or put text "
                    "with a * in quotes"},
        SyntaxError{"a: \"\\q\"\n", "f.yaml:1:7: a: unknown escape character: q"},
        // yaml-cpp closes these at the end of the file, swallowing the keys in between.
        SyntaxError{"a: \"x\nb: 1\n", "f.yaml:1:4: a: the quote is never closed"},
        SyntaxError{"a: 'x\n", "f.yaml:1:4: a: the quote is never closed"},
        SyntaxError{"a: 1\nb: 'it''s'\nc: \"\\\"\"\n", "no error"}));

/// A folder of this process alone.
class LoadYaml : public testing::Test {
 protected:
  LoadYaml() { std::filesystem::create_directories(folder_); }
  ~LoadYaml() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = folder_ / name;
    std::ofstream(file) << text;
    return file.string();
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("switchyard_" + std::to_string(getpid()));
};

std::string load_error(const std::filesystem::path& file) {
  return config_error_text([&] { return load_yaml(file); });
}

TEST_F(LoadYaml, ReadsAFileAndNamesItByItsPath) {
  const std::string file = write("good.yaml", "a: 1\n");
  EXPECT_EQ(at(load_yaml(file).find("a")->value.place), file + ":1:4");
}

TEST_F(LoadYaml, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(load_error("/no/such.yaml"), "/no/such.yaml: there is no such file");
  EXPECT_EQ(load_error(folder_), folder_.string() + ": expected a YAML file, got a directory");
  const std::string large = write("large.yaml", "a: " + std::string(std::size_t{16} << 20, 'x'));
  EXPECT_EQ(load_error(large), large + ": expected at most 16 MiB, the file is larger");
  const std::string empty = write("empty.yaml", "");
  EXPECT_EQ(load_error(empty), empty + ":1:1: the file is empty; expected keys and values");
}

TEST_F(LoadYaml, SaysWhyAFileCannotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string secret = write("secret.yaml", "a: 1\n");
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  EXPECT_EQ(load_error(secret), secret + ": cannot be read: Permission denied");
}

TEST(Overlay, MergesMappingsAndKeepsPlaces) {
  const YamlNode base = parse_yaml("a: 1\nb: {c: 2, d: 3}\nl: [1, 2]\n", "base.yaml");
  const YamlNode changes = parse_yaml("b: {d: 4, e: 5}\nl: [9]\n", "f.yaml");
  const YamlNode merged = overlay(base, changes);
  EXPECT_EQ(at(merged.find("a")->value.place), "base.yaml:1:4");
  const YamlNode& b = merged.find("b")->value;
  EXPECT_EQ(at(b.find("c")->value.place), "base.yaml:2:8");
  EXPECT_EQ(b.find("d")->value.scalar, "4");
  EXPECT_EQ(at(b.find("d")->key_place), "f.yaml:1:5");
  EXPECT_EQ(b.find("e")->value.scalar, "5");
  EXPECT_EQ(merged.find("l")->value.items.size(), 1U);
}

}  // namespace
}  // namespace switchyard
