#include <algorithm>
#include <array>

#include <gmock/gmock.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/link_measurements.hpp"
#include "sim/cli/link_report.hpp"
#include "sim/cli/read_links.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"
#include "tests/cli/program_run.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using namespace literals;
using testing::HasSubstr;
using Mode = ExpertParallelModeKind;
using Direction = TransferDirection;

const fs::path& source() {
  static const fs::path kSource{SWITCHYARD_SOURCE_DIR};
  return kSource;
}

LinkMeasurements shipped(const std::vector<std::string>& names) {
  LinkMeasurements measurements;
  for (const std::string& name : names)
    add_link_measurements(source() / "experiments/reference" / name, measurements);
  return measurements;
}

YamlNode profile_node(const std::string& name) {
  return load_yaml(source() / "cost_models/profiles/links" / (name + ".yaml"));
}

// The targets that the fit was made for: median at most 7 %, and above 64 KiB p90 at most 15 %.
TEST(ShippedCollectives, MeetTheTargetOnSizesHeldOut) {
  const CollectiveFit fit = fit_collectives(shipped({"nccl_one_node.csv"}).collectives, 450_GBps);
  for (const CollectiveTimes& times : fit.profile.collectives)
    for (const auto band : {SizeBand::kBelow64KiB, SizeBand::kTo4MiB, SizeBand::kAbove4MiB}) {
      for (const auto& rows : {fit.rows, fit.each_held_out_once}) {
        const HeldOutError error = held_out_error(rows, times.kind, band, false);
        EXPECT_GT(error.rows, 0);
        EXPECT_LE(error.median, 0.07) << collective_kind_name(times.kind) << size_band_name(band);
        if (band != SizeBand::kBelow64KiB) {
          EXPECT_LE(error.p90, 0.15) << collective_kind_name(times.kind) << size_band_name(band);
        }
      }
    }
}

// The issue names them: 16 us at 2, 16 and 32 KiB of the all-to-all over 8 GPUs, 7.5 to 8.7 beside.
TEST(ShippedCollectives, HaveThreeRowsOfASecondMode) {
  std::vector<double> sizes;
  for (const CollectiveRow& row :
       fit_collectives(shipped({"nccl_one_node.csv"}).collectives, 450_GBps).rows)
    if (row.is_second_mode) {
      EXPECT_EQ(row.measured.kind, CollectiveKind::kAllToAll);
      EXPECT_EQ(row.measured.ranks, 8);
      sizes.push_back(row.measured.size.base());
    }
  EXPECT_THAT(sizes, testing::ElementsAre(2048, 16384, 32768));
}

class ShippedExpertParallel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    measurements_ =
        shipped({"deepep_normal_h100.csv", "deepep_ll_h100.csv", "deepep_published.csv"});
    const ExpertParallelProfile profile =
        read_document(profile_node("deepep-h100"), read_expert_parallel_profile);
    fit_ = fit_expert_parallel(measurements_.expert_parallel,
                               held_out_rows(measurements_.expert_parallel), profile.links);
  }
  static inline LinkMeasurements measurements_;
  static inline ExpertParallelFit fit_;
};

// The target: median at most 15 % of rows held out, for each mode, direction and number of ranks.
TEST_F(ShippedExpertParallel, MeetsTheTargetOnShapesAndTokensHeldOut) {
  for (const Mode mode : {Mode::kNormal, Mode::kLowLatency})
    for (const Direction direction : {Direction::kDispatch, Direction::kCombine})
      for (const int ranks : {8, 16}) {
        const HeldOutError error = held_out_error(fit_.rows, mode, ranks, direction);
        EXPECT_GT(error.rows, 10);
        EXPECT_LE(error.median, 0.15) << ranks << " ranks";
      }
}

TEST_F(ShippedExpertParallel, IsNeverBelowTheBound) {
  for (const ExpertParallelRow& row : fit_.rows)
    EXPECT_GT(row.measured,
              transfer_lower_bound(row.measurement.shape, fit_.profile.links, row.direction));
}

// 64 ranks of an H800: nothing is fitted to it, so the band is what the model promises.
TEST_F(ShippedExpertParallel, PredictsPublishedFiguresOf64RanksWithinTheBand) {
  int rows = 0;
  for (const PublishedRow& row : predict_published(fit_.profile, measurements_.published)) {
    EXPECT_EQ(row.time.provenance, Provenance::kExtrapolated);
    if (row.published.shape.ranks != 64) continue;
    ++rows;
    EXPECT_LE(std::abs(row.error()), row.time.error_band) << row.published.id;
  }
  EXPECT_EQ(rows, 4);
}

TEST(ShippedLinkProfiles, AreInTheirCatalog) {
  EXPECT_THAT(link_catalog().names,
              testing::ElementsAre("deepep-h100", "nccl-a100-nvswitch", "nccl-h100-nvswitch"));
}

TEST(ShippedLinkProfiles, AreRead) {
  for (const std::string name : {"nccl-h100-nvswitch", "nccl-a100-nvswitch"}) {
    const CollectiveProfile profile = read_document(profile_node(name), read_collective_profile);
    ASSERT_EQ(profile.collectives.size(), 4U) << name;
    for (const CollectiveTimes& times : profile.collectives)
      EXPECT_EQ(times.curves.back().ranks, 8) << name;
  }
}

class ProgramFitLinks : public ProgramTest {
 protected:
  /// Fits to files of experiments/reference, into a profile in the test's folder.
  [[nodiscard]] ProgramRun fit(const std::vector<std::string>& names) const {
    std::vector<std::string> arguments{"fit", "links"};
    for (const std::string& name : names) {
      arguments.emplace_back("--measured");
      arguments.push_back("experiments/reference/" + name);
    }
    arguments.emplace_back("--write");
    arguments.push_back((folder() / "profile.yaml").string());
    return switchyard(arguments);
  }
  [[nodiscard]] std::string written() const { return file_text(folder() / "profile.yaml"); }
  static std::string shipped_profile(const std::string& name) {
    return file_text(source() / "cost_models/profiles/links" / (name + ".yaml"));
  }
};

TEST_F(ProgramFitLinks, WritesTheShippedProfilesAgain) {
  EXPECT_EQ(fit({"nccl_one_node.csv"}).exit_code, 0);
  EXPECT_EQ(written(), shipped_profile("nccl-h100-nvswitch"));
  EXPECT_EQ(fit({"nccl_one_node_a100.csv"}).exit_code, 0);
  EXPECT_EQ(written(), shipped_profile("nccl-a100-nvswitch"));
  EXPECT_EQ(fit({"deepep_normal_h100.csv", "deepep_ll_h100.csv"}).exit_code, 0);
  EXPECT_EQ(written(), shipped_profile("deepep-h100"));
}

TEST_F(ProgramFitLinks, WritesOneProfileAtATime) {
  const ProgramRun run = fit({"nccl_one_node.csv", "nccl_one_node_a100.csv"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("--write: one profile is written at a time"));
}

TEST_F(ProgramFitLinks, NeedsBothModesOfExpertParallelism) {
  const ProgramRun run = fit({"deepep_ll_h100.csv"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("there are none of the normal mode over 8"));
}

TEST_F(ProgramFitLinks, RefusesExpertParallelRowsOfUnknownLinks) {
  std::vector<std::string> arguments{"fit", "links"};
  for (const std::string name : {"deepep_normal_h100.csv", "deepep_ll_h100.csv"}) {
    std::string text = file_text(source() / "experiments/reference" / name);
    for (std::size_t at = 0; (at = text.find("h100_sxm,", at)) != std::string::npos; ++at)
      text.replace(at, 4, "b200");
    std::ofstream{folder() / name} << text;
    arguments.emplace_back("--measured");
    arguments.push_back((folder() / name).string());
  }
  const ProgramRun run = switchyard(arguments);
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("rows of h100_sxm, whose links are known, got b200_sxm"));
}

TEST_F(ProgramFitLinks, NamesEveryBadFieldByLine) {
  const fs::path file = folder() / "bad.csv";
  std::ofstream{file} << "# comment\nsystem,nccl_version,op_name,num_gpus,bytes,latency_us\n"
                         "h100_sxm,2,alltoall,2,512,fast\nh100_sxm,2,broadcast,2,512,1\n"
                         "h100_sxm,2,alltoall,1,1024,1\n";
  const ProgramRun run = switchyard({"fit", "links", "--measured", file.string()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err,
            file.string() + ":3: latency_us: expected a number of at least 0, got \"fast\"\n" +
                file.string() +
                ":4: op_name: expected one of all_gather, all_reduce, alltoall, reduce_scatter, "
                "got \"broadcast\"\n" +
                file.string() + ":5: num_gpus: expected a number of at least 2, got \"1\"\n");
}

TEST_F(ProgramFitLinks, WritesEveryRowWithItsPrediction) {
  const ProgramRun run = switchyard({"fit", "links", "--out", folder().string()});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, HasSubstr("deepep-v1-normal-ep64"));
  const std::string csv = file_text(folder() / "link_calibration.csv");
  // 168 rows of H100 and 84 of A100, 84 transferred; 989 and 219 rows of DeepEP both ways; 6
  // figures both ways; a comment and the header.
  EXPECT_EQ(std::ranges::count(csv, '\n'), 168 + 84 + 84 + 2 * (989 + 219) + 2 * 6 + 2);
}

TEST_F(ProgramFitLinks, IsAModeOfFit) {
  EXPECT_EQ(switchyard({"fit"}).exit_code, 2);
  const ProgramRun help = switchyard({"fit", "links", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--measured"));
}

}  // namespace
}  // namespace switchyard
