#include "sim/planner/fit_routing.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace switchyard {
namespace {

LocalityMeasurement measured(const std::string& dataset, int layer, double first,
                             double first_or_second) {
  return {.dataset = dataset,
          .layer = layer,
          .repeats = {.first = first, .first_or_second = first_or_second}};
}

// Even shares (sigma 0) and the tilts of ChoiceRepeats.OfEvenExpertsFollowFromTheTilts.
TEST(FitLocality, FindsTheTiltsAgain) {
  const LocalityFit fit = fit_locality({measured("a", 3, 0.25, 1 - 30.0 / 68.64)}, 0.0);
  ASSERT_EQ(fit.rows.size(), 1U);
  EXPECT_NEAR(fit.rows[0].first_tilt, 1.2, 1e-3);
  EXPECT_NEAR(fit.rows[0].second_tilt, -0.4, 1e-3);
  EXPECT_NEAR(fit.rows[0].fitted.first, 0.25, 1e-5);
}

// Layer 0 of two data sets: the mean first choice repeats with (0.14 + 0.18) / 2.
TEST(FitLocality, FitsAllToTheMeanOfEachLayer) {
  const LocalityFit fit = fit_locality(
      {measured("a", 5, 0.2, 0.5), measured("a", 0, 0.14, 0.46), measured("b", 0, 0.18, 0.5)}, 0.2);
  ASSERT_EQ(fit.all.size(), 2U);
  EXPECT_EQ(fit.all[0].measured.layer, 0);
  EXPECT_DOUBLE_EQ(fit.all[0].measured.repeats.first, 0.16);
  EXPECT_DOUBLE_EQ(fit.all[0].measured.repeats.first_or_second, 0.48);
  EXPECT_NEAR(fit.all[0].fitted.first, 0.16, 1e-4);
  EXPECT_NEAR(fit.all[0].fitted.first_or_second, 0.48, 1e-4);
  EXPECT_EQ(fit.all[1].measured.layer, 5);
}

// The first choice repeats always, but no choice repeats: that cannot be. Both errors stay.
TEST(FitLocality, EndsWhereNoTiltsFit) {
  const LocalityFit fit = fit_locality({measured("a", 0, 0.9, 0.1)}, 0.2);
  EXPECT_GT(fit.rows[0].fitted.first_or_second, fit.rows[0].fitted.first);
}

// Tilts between layers 0 and 2 are those halfway; above layer 2 nothing changes.
TEST(LruHitRates, InterpolateTiltsBetweenLayers) {
  LocalityFit fit{.popularity_sigma = 0.0, .rows = {}, .all = {}};
  fit.all.push_back({.measured = measured("all", 0, 0, 0), .first_tilt = 0.0, .fitted = {}});
  fit.all.push_back({.measured = measured("all", 2, 0, 0), .first_tilt = 2.0, .fitted = {}});
  const auto rates = lru_hit_rates(fit, 4, 2);
  ASSERT_EQ(rates.size(), 4U);
  EXPECT_NEAR(rates[0], 0.25, 1e-12);
  EXPECT_NEAR(rates[1],
              lru_hit_rate({.shares = std::vector<double>(8, 0.125), .first_tilt = 1.0}, 2), 1e-12);
  EXPECT_EQ(rates[2], rates[3]);
}

TEST(TemporalProfile, HasAListOfLayersForEachDataSet) {
  LocalityFit fit{.popularity_sigma = 0.25, .rows = {}, .all = {}};
  const auto row = [](const std::string& dataset, int layer) {
    return LocalityRow{.measured = measured(dataset, layer, 0.1, 0.5),
                       .first_tilt = 0.5,
                       .second_tilt = -0.125,
                       .fitted = {}};
  };
  fit.rows = {row("b", 31), row("b", 0), row("a", 0)};
  fit.all = {row("all", 0)};
  std::ostringstream yaml;
  write_temporal_profile(fit, {"# from somewhere"}, yaml);
  EXPECT_THAT(yaml.str(),
              testing::EndsWith("# from somewhere\n"
                                "experts: 8\n"
                                "domains:\n"
                                "  all:\n"
                                "    - {layer: 0, popularity_sigma: 0.250, first_tilt: 0.500, "
                                "second_tilt: -0.125}\n"
                                "  b:\n"
                                "    - {layer: 0, popularity_sigma: 0.250, first_tilt: 0.500, "
                                "second_tilt: -0.125}\n"
                                "    - {layer: 31, popularity_sigma: 0.250, first_tilt: 0.500, "
                                "second_tilt: -0.125}\n"
                                "  a:\n"
                                "    - {layer: 0, popularity_sigma: 0.250, first_tilt: 0.500, "
                                "second_tilt: -0.125}\n"));
}

}  // namespace
}  // namespace switchyard
