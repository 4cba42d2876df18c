#include "sim/cli/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/cli/message_text.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::shared_ptr<const Source> file(const std::string& name) {
  return std::make_shared<Source>(Source{.name = name});
}

TEST(Diagnostics, ThrowsNothingWithoutProblems) {
  const Diagnostics diagnostics;
  EXPECT_NO_THROW(diagnostics.throw_if_any());
  EXPECT_EQ(diagnostics.report(), "");
}

TEST(Diagnostics, SortsByPlaceWithinEachFileAndPutsOptionsLast) {
  const auto experiment = file("a.yaml");
  const auto catalog = file("catalog/b.yaml");
  const auto option = std::make_shared<Source>(Source{.name = "--set x=1", .has_lines = false});
  Diagnostics diagnostics;
  diagnostics.add({.source = option}, "x", "five");
  diagnostics.add({.source = experiment, .line = 10, .column = 1}, "k", "three");
  diagnostics.add({.source = catalog, .line = 1, .column = 1}, "c", "four");
  diagnostics.add({.source = experiment, .line = 2, .column = 7}, "k.l", "two");
  diagnostics.add({.source = experiment, .line = 2, .column = 3}, "", "one");
  EXPECT_EQ(diagnostics.report(),
            "a.yaml:2:3: one\n"
            "a.yaml:2:7: k.l: two\n"
            "a.yaml:10:1: k: three\n"
            "catalog/b.yaml:1:1: c: four\n"
            "--set x=1: x: five");
}

TEST(Diagnostics, TellsAProblemFoundTwiceOnce) {
  const auto source = file("a.yaml");
  Diagnostics diagnostics;
  for (int i = 0; i < 2; ++i)  // two at one place, so that equal ones are not neighbours
    for (const char* key : {"k", "l"}) diagnostics.add({.source = source}, key, "missing");
  EXPECT_EQ(diagnostics.report(), "a.yaml:1:1: k: missing\na.yaml:1:1: l: missing");
}

TEST(Diagnostics, CountsWhatIsPastAHundredLines) {
  const auto source = file("a.yaml");
  Diagnostics diagnostics;
  for (int line = 1; line <= 103; ++line)
    diagnostics.add({.source = source, .line = line}, "k", "missing");
  EXPECT_THAT(diagnostics.report(), testing::EndsWith("a.yaml:100:1: k: missing\n... and 3 more"));
}

TEST(Diagnostics, ThrowsItsReport) {
  Diagnostics diagnostics;
  diagnostics.add({.source = file("a.yaml")}, "k", "missing");
  EXPECT_THROW(diagnostics.throw_if_any(), ConfigError);
}

TEST(InQuotes, KeepsForeignTextOnOnePrintableLine) {
  EXPECT_EQ(in_quotes("plain"), "\"plain\"");
  EXPECT_EQ(in_quotes("a\nb\t\"c\"\x01"), R"("a\nb\t\"c\"\x01")");
}

TEST(InQuotes, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
  // 59 + a character of two bytes ends at 61, so it has to go as a whole.
  EXPECT_EQ(in_quotes(std::string(59, 'x') + "\u00e4"), "\"" + std::string(59, 'x') + "...\"");
}

TEST(KeyPath, QuotesKeysThatHoldADot) {
  EXPECT_EQ(child_path("", "fabric"), "fabric");
  EXPECT_EQ(child_path("sweep", "routing.top_k"), "sweep.\"routing.top_k\"");
  EXPECT_EQ(item_path("tiers", 2), "tiers[2]");
}

TEST(EditDistance, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);  // k-s, e-i, +g: Levenshtein's example
  EXPECT_EQ(edit_distance("laef", "leaf"), 1U);
}

TEST(DidYouMean, OffersTheNearestName) {
  const std::vector<std::string> names{"bandwidth", "latency", "tp"};
  EXPECT_EQ(did_you_mean("bandwith", names), "; did you mean \"bandwidth\"?");
  EXPECT_EQ(did_you_mean("LATENCY", names), "; did you mean \"latency\"?");
  EXPECT_EQ(did_you_mean("dp", names), "; did you mean \"tp\"?");
}

TEST(DidYouMean, OffersNothingFarFetched) {
  const std::vector<std::string> names{"bandwidth", "latency", "tp", "x"};
  EXPECT_EQ(did_you_mean("colour", names), "");
  EXPECT_EQ(did_you_mean("y", names), "");
  EXPECT_EQ(did_you_mean("", names), "");
  EXPECT_EQ(did_you_mean(std::string(1'000'000, 'a'), names), "");
}

}  // namespace
}  // namespace switchyard
