#include "tests/workload/routing/hostile_trace.hpp"

#include <random>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(HostileTrace, CutAnywhereIsAnError) {
  const std::string npy = npy_text(small_trace());
  EXPECT_TRUE(read_hostile_trace(npy, "t.npy", 0));
  for (std::size_t size = 0; size < npy.size(); ++size)
    EXPECT_FALSE(read_hostile_trace(npy.substr(0, size), "t.npy", 0)) << size;
}

// A CSV file that was cut may be a whole shorter one.
TEST(HostileTrace, CsvCutAnywhereIsAnErrorOrATrace) {
  const std::string csv{kSmallCsv};
  EXPECT_TRUE(read_hostile_trace(csv, "t.csv", 0));
  int traces = 0;
  for (std::size_t size = 0; size < csv.size(); ++size)
    traces += read_hostile_trace(csv.substr(0, size), "t.csv", 0) ? 1 : 0;
  // Each with its line end and without: one layer of token 0; all of it; tokens 0 and 1. And the
  // whole file without its line end.
  EXPECT_EQ(traces, 2 * 3 + 1);
}

TEST(HostileTrace, WithAnyByteChangedToAnyOtherIsAnErrorOrATrace) {
  for (const auto& [name, valid] :
       {std::pair{"t.npy", npy_text(small_trace())}, std::pair{"t.csv", std::string{kSmallCsv}}})
    for (std::size_t at = 0; at < valid.size(); ++at)
      for (int flip = 1; flip < 256; ++flip) {
        std::string text = valid;
        text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ flip);
        ASSERT_NO_THROW((void)read_hostile_trace(text, name, 8)) << name << " byte " << at;
      }
}

TEST(HostileTrace, WithPiecesCutOutAndPutElsewhereIsAnErrorOrATrace) {
  std::mt19937_64 random{20240917};
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (const auto& [name, valid] :
       {std::pair{"t.npy", npy_text(small_trace())}, std::pair{"t.csv", std::string{kSmallCsv}}})
    for (int i = 0; i < 5000; ++i) {
      std::string text = valid;
      for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
        const std::string piece = text.substr(below(text.size() + 1), 1 + below(24));
        if (below(2) == 0) text.erase(below(text.size() + 1), 1 + below(8));
        text.insert(below(text.size() + 1), piece);
      }
      ASSERT_NO_THROW((void)read_hostile_trace(text, name, 0)) << text;
    }
}

}  // namespace
}  // namespace switchyard
