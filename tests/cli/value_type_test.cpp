#include "sim/cli/value_type.hpp"

#include <gtest/gtest.h>

#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

/// The value as the schema would show it, or the hint; `text` is YAML.
template <class T>
std::string read(const ValueType<T>& type, const std::string& text) {
  const YamlNode node = parse_yaml(text + "\n", "f.yaml");
  const Parsed<T> parsed = type.parse(node);
  return parsed.value ? type.to_json(*parsed.value).dump() : "refused" + parsed.hint;
}

struct Case {
  std::string text;
  std::string result;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.text; }

class WholeNumber : public testing::TestWithParam<Case> {};
TEST_P(WholeNumber, IsReadStrictly) {
  EXPECT_EQ(read(types::whole_number(), GetParam().text), GetParam().result);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, WholeNumber,
    testing::Values(
        Case{"0", "0"}, Case{"-12", "-12"}, Case{"+12", "12"},
        Case{"9223372036854775807", "9223372036854775807"},
        Case{"-9223372036854775808", "-9223372036854775808"},
        Case{"9223372036854775808", "refused; the largest possible is 9223372036854775807"},
        Case{"-9223372036854775809", "refused; the smallest possible is -9223372036854775808"},
        Case{"1e6", "refused; write 1000000"}, Case{"8.0", "refused; write 8"},
        Case{"1.5", "refused"}, Case{"1_000", "refused; write 1000"},
        Case{"1,000", "refused; write 1000"},
        Case{"007", "refused; write it without leading zeros"},
        Case{"-07", "refused; write it without leading zeros"},
        Case{"0x10", "refused; write it in decimal"}, Case{"0o17", "refused; write it in decimal"},
        Case{"\"8\"", "refused; remove the quotes"}, Case{"8 ranks", "refused"},
        Case{"8x", "refused"}, Case{"--8", "refused"}, Case{"+-8", "refused"}, Case{"-", "refused"},
        Case{"1e999", "refused"}, Case{".inf", "refused; it must be finite"},
        Case{"''", "refused"}));

class Number : public testing::TestWithParam<Case> {};
TEST_P(Number, IsReadStrictly) {
  EXPECT_EQ(read(types::number(), GetParam().text), GetParam().result);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, Number,
    testing::Values(
        Case{"1", "1.0"}, Case{"-1.25", "-1.25"}, Case{"+.5", "0.5"}, Case{"5.", "5.0"},
        Case{"1e-3", "0.001"}, Case{"2E+2", "200.0"}, Case{"-0.0", "0.0"},
        Case{".inf", "refused; it must be finite"}, Case{"-.inf", "refused; it must be finite"},
        Case{"inf", "refused; it must be finite"}, Case{".nan", "refused; it must be finite"},
        Case{"1e999", "refused; it is beyond what a number can hold"},
        Case{"1e-999", "refused; it is beyond what a number can hold"}, Case{"0x1p3", "refused"},
        Case{"0x10", "refused; write it in decimal"},
        Case{"00.5", "refused; write it without leading zeros"},
        Case{"1_000.5", "refused; write 1000.5"}, Case{"1.2.3", "refused"}, Case{"1.5x", "refused"},
        Case{"e5", "refused"}, Case{"1e", "refused"}, Case{".", "refused"},
        Case{"30%", "refused; write it as a fraction of 1, without the %"},
        Case{"'1.5'", "refused; remove the quotes"}, Case{"1 GB/s", "refused"}));

TEST(Boolean, IsTrueOrFalse) {
  EXPECT_EQ(read(types::boolean(), "true"), "true");
  EXPECT_EQ(read(types::boolean(), "false"), "false");
  for (const std::string other : {"yes", "no", "on", "True", "1"})
    EXPECT_EQ(read(types::boolean(), other), "refused") << other;
  EXPECT_EQ(read(types::boolean(), "\"true\""), "refused; remove the quotes");
}

TEST(TextType, IsNothingThatYamlTakesForSomethingElse) {
  EXPECT_EQ(read(types::text(), "switch-base"), "\"switch-base\"");
  EXPECT_EQ(read(types::text(), "7b"), "\"7b\"");
  EXPECT_EQ(read(types::text(), "\"7\""), "\"7\"");
  EXPECT_EQ(read(types::text(), "infinity"), "\"infinity\"");
  for (const std::string other : {"7", "1e5", "-.inf", "0x1F", "1_000", "true", "False"})
    EXPECT_EQ(read(types::text(), other), "refused; put it in quotes") << other;
  EXPECT_EQ(read(types::text(), "''"), "refused");
}

TEST(UnitTypes, NeedAUnit) {
  EXPECT_EQ(read(types::time(), "1.5 us"), "\"1.5 us\"");
  EXPECT_EQ(read(types::time(), "0 s"), "\"0 s\"");
  EXPECT_EQ(read(types::size(), "\"512 MB\""), "\"512 MB\"");
  EXPECT_EQ(read(types::bandwidth(), "400 Gbps"), "\"50 GB/s\"");
  EXPECT_EQ(read(types::flop_rate(), "61.5 TFLOP/s"), "\"61.5 TFLOP/s\"");
  EXPECT_EQ(read(types::bandwidth(), "400"), "refused");
  EXPECT_EQ(read(types::bandwidth(), "400 Gb"), "refused");
  EXPECT_EQ(read(types::bandwidth(), "0 Gbps"), "refused; it must be above zero");
  EXPECT_EQ(read(types::time(), "-1 s"), "refused; it cannot be negative");
  EXPECT_EQ(read(types::time(), "inf s"), "refused");
  EXPECT_EQ(read(types::size(), "1e999 GB"), "refused");
}

TEST(Ranges, AreChecked) {
  EXPECT_EQ(read(types::whole_number({.min = 2, .max = 4}), "4"), "4");
  EXPECT_EQ(read(types::whole_number({.min = 2, .max = 4}), "5"), "refused");
  EXPECT_EQ(read(types::count(), "2147483647"), "2147483647");
  EXPECT_EQ(read(types::count(), "2147483648"), "refused; it is too large");
  EXPECT_EQ(read(types::count(), "0"), "refused");
  EXPECT_EQ(read(types::number({.above = 0.0, .below = 1.0}), "0"), "refused");
  EXPECT_EQ(read(types::number({.above = 0.0, .below = 1.0}), "0.5"), "0.5");
  EXPECT_EQ(read(types::fraction(), "1"), "1.0");
  EXPECT_EQ(read(types::fraction(), "1.01"), "refused");
}

TEST(Ranges, AreWordedForTheUser) {
  EXPECT_EQ(types::whole_number().expected, "a whole number");
  EXPECT_EQ(types::whole_number({.max = 8}).expected, "a whole number of at most 8");
  EXPECT_EQ(types::count().expected, "a whole number of at least 1");
  EXPECT_EQ(types::count({.min = 1, .max = 8}).expected, "a whole number from 1 to 8");
  EXPECT_EQ(types::number({.above = 0.0}).expected, "a number above 0");
  EXPECT_EQ(types::number({.above = 0.0, .max = 1.0}).expected, "a number above 0 and at most 1");
  EXPECT_EQ(types::number({.min = 0.5, .below = 1.0}).expected,
            "a number of at least 0.5 and below 1");
  EXPECT_EQ(types::number({.max = 1.0}).expected, "a number of at most 1");
  EXPECT_EQ(types::number({.below = 1.0}).expected, "a number below 1");
  EXPECT_EQ(types::fraction().expected, "a fraction from 0 to 1");
  EXPECT_EQ((types::one_of<int>({{"only", 1}}).expected), "\"only\"");
}

TEST(Ranges, HoldTheFallback) {
  EXPECT_DOUBLE_EQ(types::number().fallback, 0.0);
  EXPECT_DOUBLE_EQ(types::number({.above = 0.0}).fallback, 1.0);
  EXPECT_DOUBLE_EQ(types::number({.below = -3.0}).fallback, -4.0);
  EXPECT_DOUBLE_EQ(types::number({.above = 1.0, .max = 2.0}).fallback, 1.5);
  EXPECT_EQ(types::whole_number({.min = 5}).fallback, 5);
}

}  // namespace
}  // namespace switchyard
