#include <cmath>

#include <gmock/gmock.h>

#include "sim/cli/routing_measurements.hpp"
#include "sim/cli/routing_report.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path source(const std::string& file) { return fs::path{SWITCHYARD_SOURCE_DIR} / file; }

class ShippedRouting : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    calibration_ =
        calibrate_routing(read_locality(source("experiments/reference/mixtral_locality.csv")),
                          read_loads(source("experiments/reference/load_imbalance.csv")));
  }
  static inline RoutingCalibration calibration_;
};

// The target: each of the 48 cells within 1.5 points.
TEST_F(ShippedRouting, ReproducesEveryCell) {
  EXPECT_EQ(calibration_.locality.rows.size(), 24U);
  for (const LocalityRow& row : calibration_.locality.rows) {
    EXPECT_NEAR(row.fitted.first, row.measured.repeats.first, 0.015) << row.measured.dataset;
    EXPECT_NEAR(row.fitted.first_or_second, row.measured.repeats.first_or_second, 0.015)
        << row.measured.dataset;
  }
}

// With the digits that the profile carries: d(share)/d(tilt) is at most about 1/8, half a digit is
// 0.0005, so each of two tilts moves a share by less than 0.01 points.
TEST_F(ShippedRouting, ReproducesEveryCellFromWhatIsWritten) {
  const auto rounded = [](double value) { return std::round(1e3 * value) / 1e3; };
  EXPECT_EQ(calibration_.locality.popularity_sigma,
            rounded(calibration_.locality.popularity_sigma));
  for (LocalityRow row : calibration_.locality.rows) {
    row.first_tilt = rounded(row.first_tilt);
    row.second_tilt = rounded(row.second_tilt);
    const ChoiceRepeats repeats = choice_repeats(expert_chain(calibration_.locality, row));
    EXPECT_NEAR(repeats.first, row.measured.repeats.first, 0.0003);
    EXPECT_NEAR(repeats.first_or_second, row.measured.repeats.first_or_second, 0.0003);
  }
}

// Persistence is strong in the middle and next to none at the bottom.
TEST_F(ShippedRouting, RemembersMostInTheMiddle) {
  const auto& all = calibration_.locality.all;
  ASSERT_EQ(all.size(), 3U);
  EXPECT_LT(std::abs(all[0].first_tilt), 0.2);
  EXPECT_GT(all[1].first_tilt, 1.0);
  EXPECT_LT(all[2].second_tilt, 0.0);
}

// A cache that knows nothing hits n / 8.
TEST_F(ShippedRouting, HitsACacheMoreThanChanceDoes) {
  ASSERT_EQ(calibration_.caches.size(), 2U);
  for (const CacheEstimate& cache : calibration_.caches)
    for (const double rate : cache.hit_rates) EXPECT_GT(rate, cache.cached_experts / 8.0);
}

TEST_F(ShippedRouting, EstimatesASigmaFromEachPublishedLoad) {
  ASSERT_EQ(calibration_.sigmas.size(), 5U);
  for (const SigmaEstimate& estimate : calibration_.sigmas) {
    if (estimate.balancing == "loss_free") {
      EXPECT_LT(estimate.sigma, 0.03) << estimate.model;
    } else {
      EXPECT_GT(estimate.sigma, 0.15) << estimate.model;
      EXPECT_LT(estimate.sigma, 0.30) << estimate.model;
    }
  }
}

class ProgramFitRouting : public ProgramTest {};

TEST_F(ProgramFitRouting, WritesTheShippedProfileAgain) {
  const ProgramRun run =
      switchyard({"fit", "routing", "--write", (folder() / "profile.yaml").string()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("geometric mean"));
  EXPECT_EQ(file_text(folder() / "profile.yaml"),
            file_text(source("experiments/routing/mixtral-8x7b.yaml")));
}

TEST_F(ProgramFitRouting, NamesEveryBadFieldByLineAndWritesNothing) {
  const fs::path file = folder() / "bad.csv";
  std::ofstream{file} << "# comment\ndataset,layer,first_choice_percent,first_or_second_percent\n"
                         "a,0,14,nan\na,-1,14,46\na,2,114,46\nb,1,14,46\nb,1,14,46\n";
  const ProgramRun run = switchyard({"fit", "routing", "--locality", file.string(), "--write",
                                     (folder() / "profile.yaml").string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err,
            file.string() +
                ":3: first_or_second_percent: expected a number of at least 0, got \"nan\"\n" +
                file.string() + ":4: layer: expected a number of at least 0, got \"-1\"\n" +
                file.string() +
                ":5: first_choice_percent: expected less than 100 %, got \"114\"\n" +
                file.string() + ":7: the same dataset and layer as a line above\n");
  EXPECT_FALSE(fs::exists(folder() / "profile.yaml"));
}

TEST_F(ProgramFitRouting, NamesMissingLoads) {
  const fs::path file = folder() / "loads.csv";
  std::ofstream{file} << "model,balancing,num_experts,top_k,num_groups,quantity,value\n"
                         "m,auxiliary_loss,8,8,24,smallest_share,0.06\n"
                         "m,auxiliary_loss,8,2,24,share,0.06\n";
  const ProgramRun run = switchyard({"fit", "routing", "--loads", file.string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr(":2: top_k: expected less than 8 experts, got 8\n"));
  EXPECT_THAT(run.err, HasSubstr(":3: quantity: unknown, or a second time: \"share\"\n"));
  EXPECT_THAT(run.err, HasSubstr("expected a row with quantity largest_share"));
}

}  // namespace
}  // namespace switchyard
