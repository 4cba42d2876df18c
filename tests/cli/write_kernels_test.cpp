#include "sim/cli/calibration/write_kernels.hpp"

#include <gtest/gtest.h>

#include "sim/cli/quantity_text.hpp"
#include "sim/core/parse_units.hpp"

namespace switchyard {
namespace {

TEST(YamlText, QuotesTextThatWouldBeReadAsSomethingElse) {
  EXPECT_EQ(yaml_text({{"name", "a core"},
                       {"hash", "0b04b0582c480aa0"},
                       {"version", "12"},
                       {"device", "True"},
                       {"time", "2.5 us"}}),
            "name: a core\nhash: \"0b04b0582c480aa0\"\nversion: \"12\"\ndevice: \"True\"\n"
            "time: 2.5 us\n");
}

/// How a constant of a product's form stands in its profile.
std::string text_of(KernelConstant constant, double value) {
  KernelModel model{.kind = KernelKind::kGemm};
  for (KernelConstants* constants : {&model.constants, &model.lowest, &model.highest})
    (*constants)[static_cast<std::size_t>(constant)] = value;
  KernelProfile profile;
  profile.models.push_back(model);
  const auto json = kernels_json(profile);
  return json["models"][0]["constants"][std::string{constant_name(constant)}]["value"];
}

TEST(KernelsJson, WritesTheFewestDigitsThatAreTheConstant) {
  using K = KernelConstant;
  // Each is some last places off the number of four digits: what a division by 1e-9 or 1e9 leaves.
  EXPECT_EQ(text_of(K::kWeightBandwidth, 2188999999999.9998), "2189 GB/s");
  EXPECT_EQ(text_of(K::kRate, 2189.0 / 1e-9), "2.189 TFLOP/s");
  EXPECT_EQ(text_of(K::kLaunch, 0.46909999999999996e-6), "469.1 ns");
  EXPECT_EQ(text_of(K::kLaunch, 1e-6), "1 us");
  EXPECT_EQ(text_of(K::kLaunch, 1.2345678901e-6), "1.2345678901 us");
  EXPECT_EQ(text_of(K::kLaunch, 0.0), "0 ns");
}

TEST(ExactText, IsShortWhereAUnitIsExact) {
  for (const char* text : {"469.1 ns", "0.8 us", "693.9 ns", "2.139 ns", "0.09476 ns"}) {
    const Seconds time = *parse_seconds(text);
    EXPECT_EQ(*parse_seconds(exact_text(time)), time) << text;
    EXPECT_LE(exact_text(time).size(), 14) << exact_text(time);  // six digits and an exponent
  }
  EXPECT_EQ(exact_text(*parse_bandwidth("3.35 TB/s")), "3350 GB/s");
  const BytesPerSecond odd{2188999999999.9998};
  EXPECT_EQ(*parse_bandwidth(exact_text(odd)), odd);
}

}  // namespace
}  // namespace switchyard
