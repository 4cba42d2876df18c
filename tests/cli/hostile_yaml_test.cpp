#include "tests/cli/hostile_yaml.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

constexpr std::string_view kValid =
    "name: ep_sweep  # a comment\n"
    "seed: 7\n"
    "sizes: [16 GiB, \"512 MB\"]\n"
    "peak: 61.5 TFLOP/s\n"
    "links:\n"
    "  - link: slow\n"
    "  - link: {base: slow, bandwidth: 400 Gbps}\n"
    "routing: {kind: zipf, exponent: 1.25}\n"
    "sweep: {routing.exponent: [1, 2], \"links[0].link\": [slow]}\n";

constexpr std::array<std::string_view, 36> kPieces{
    "\n",  "  ",   "\t", "- ", "? ",  ": ",  "[",  "]",   "{",    "}",        ",",        "#",
    "\"",  "'",    "&a", "*a", "!!x", "|\n", ">-", "%",   "---",  "...",      "<<: ",     "~",
    "\\u", "\xFF", "\r", "0x", "1e9", "=",   ".",  "[0]", "base", "a: [1]\n", "\xC3\xA4", "@"};

/// One to eight random edits: a piece put in, some characters cut out, or some copied elsewhere.
std::string mutate(std::mt19937_64& random) {
  std::string text{kValid};
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t num_edits = 1 + below(8); num_edits > 0; --num_edits) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t edit = below(4);
    if (edit <= 1)
      text.insert(at, kPieces[below(kPieces.size())]);
    else if (edit == 2)
      text.erase(at, 1 + below(12));
    else
      text.insert(at, std::string{text.substr(below(text.size() + 1), 1 + below(40))});
    if (text.empty()) text = "a";
  }
  return text;
}

TEST(HostileYaml, GivesAConfigErrorOrNone) {
  EXPECT_NO_THROW(read_hostile(std::string{kValid}));
  std::mt19937_64 random{20240611};
  for (int i = 0; i < 2000; ++i) {
    const std::string text = mutate(random);
    SCOPED_TRACE(text);
    ASSERT_NO_THROW(read_hostile(text));
  }
}

}  // namespace
}  // namespace switchyard
