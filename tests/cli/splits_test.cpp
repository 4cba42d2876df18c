#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <gmock/gmock.h>

#include "sim/cli/experiment.hpp"
#include "sim/cli/gemm_measurements.hpp"
#include "sim/cli/layer_measurements.hpp"
#include "sim/cli/link_measurements.hpp"
#include "sim/cli/read_splits.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using namespace literals;

fs::path source(const std::string& name) { return fs::path{SWITCHYARD_SOURCE_DIR} / name; }
fs::path reference(const std::string& name) { return source("experiments/reference/" + name); }

const Splits& shipped_splits() {
  static const Splits kSplits =
      read_document(load_yaml(reference("splits.yaml")),
                    [](Section section) { return read_splits(std::move(section)); });
  return kSplits;
}

TEST(ShippedSplits, GiveEveryRowOfEveryTableARole) {
  std::set<std::string> named;
  for (const TableSplit& table : shipped_splits().tables) {
    EXPECT_TRUE(named.insert(table.file).second) << table.file;
    EXPECT_EQ(assign_roles(table.rules, table_rows(reference(table.file))).size(),
              table_rows(reference(table.file)).size());
  }
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator{source("experiments/reference")})
    if (entry.path().extension() == ".csv") there.insert(entry.path().filename().string());
  EXPECT_EQ(named, there);
}

// A fit of whatever constants says which rows it holds out.
TEST(ShippedSplits, HoldOutTheSitesThatFitGemmDoes) {
  for (const char* file : {"gemm_bf16_h100.csv", "gemm_fp8_h800.csv"}) {
    const std::vector<TableRow> rows = table_rows(reference(file));
    const std::vector<SplitRole> roles = roles_of_rows(reference(file));
    std::set<std::pair<std::string, std::string>> held_out;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (roles[i] != SplitRole::kFit) held_out.insert({rows[i].at("n"), rows[i].at("k")});
    std::set<std::pair<std::int64_t, std::int64_t>> sites;
    for (const TableRow& row : rows)
      sites.insert({std::stoll(row.at("n")), std::stoll(row.at("k"))});
    const std::size_t every = file == std::string{"gemm_bf16_h100.csv"} ? 3 : 2;
    std::size_t index = 0;
    for (const auto& [n, k] : sites)  // the rule of fit_gemm(): the last of each `every`
      EXPECT_EQ(held_out.contains({std::to_string(n), std::to_string(k)}),
                index++ % every == every - 1)
          << file << " " << n << " " << k;
  }
}

TEST(ShippedSplits, HoldOutTheRowsThatFitLinksDoes) {
  for (const char* file : {"nccl_one_node.csv", "nccl_one_node_a100.csv"}) {
    LinkMeasurements measurements;
    add_link_measurements(reference(file), measurements);
    std::set<std::tuple<CollectiveKind, int, double>> never_fitted;
    for (const CollectiveRow& row : fit_collectives(measurements.collectives, 450_GBps).rows)
      if (row.is_held_out || row.is_second_mode)
        never_fitted.insert({row.measured.kind, row.measured.ranks, row.measured.size.base()});
    const std::vector<SplitRole> roles = roles_of_rows(reference(file));
    ASSERT_EQ(roles.size(), measurements.collectives.size());
    for (std::size_t i = 0; i < roles.size(); ++i) {
      const CollectiveMeasurement& row = measurements.collectives[i];
      EXPECT_EQ(roles[i] != SplitRole::kFit,
                never_fitted.contains({row.kind, row.ranks, row.size.base()}))
          << file << " " << collective_kind_name(row.kind) << " " << row.ranks << " "
          << row.size.base();
    }
  }
  for (const char* file : {"deepep_normal_h100.csv", "deepep_ll_h100.csv"}) {
    LinkMeasurements measurements;
    add_link_measurements(reference(file), measurements);
    const std::vector<bool> is_held_out = held_out_rows(measurements.expert_parallel);
    const std::vector<SplitRole> roles = roles_of_rows(reference(file));
    ASSERT_EQ(roles.size(), is_held_out.size());
    for (std::size_t i = 0; i < roles.size(); ++i)
      EXPECT_EQ(roles[i] != SplitRole::kFit, is_held_out[i]) << file << " row " << i + 1;
  }
}

// Layers: 4 rows of TRT-LLM and 4 in each of 3 degrees of vLLM are fitted to; sealed are 2 numbers
// of tokens in 6 degrees of TRT-LLM and in the 4 degrees of vLLM that no fit sees.
TEST(ShippedSplits, SealLayersThatNoFitSees) {
  LayerMeasurements measurements;
  add_layer_measurements(reference("moe_layer_mixtral_h100.csv"), true, measurements);
  std::map<std::pair<std::string, SplitRole>, int> count;
  for (const LayerMeasurement& row : measurements.rows) ++count[{row.framework, row.role}];
  EXPECT_EQ((count[{"TRTLLM", SplitRole::kFit}]), 4);
  EXPECT_EQ((count[{"TRTLLM", SplitRole::kSealed}]), 2 * 6);
  EXPECT_EQ((count[{"TRTLLM", SplitRole::kDevelopment}]), 49 - 4 - 12);
  EXPECT_EQ((count[{"VLLM", SplitRole::kFit}]), 4 * 3);
  EXPECT_EQ((count[{"VLLM", SplitRole::kSealed}]), 2 * 4);
  EXPECT_EQ((count[{"VLLM", SplitRole::kDevelopment}]), 49 - 12 - 8);
  LayerMeasurements open;
  add_layer_measurements(reference("moe_layer_mixtral_h100.csv"), false, open);
  EXPECT_EQ(open.rows.size(), 98U - 12 - 8);
}

TEST(ShippedSplits, CountTheRowsThatExperimentsPublish) {
  std::set<std::string> named;
  for (const ExperimentSplit& split : shipped_splits().experiments) {
    named.insert(split.file);
    int num_fit = 0;
    int num_predicted = 0;
    for (const ExperimentCase& c : load_experiment(source(split.file), {}).cases)
      if (c.published) ++(c.published->role == Role::kFit ? num_fit : num_predicted);
    EXPECT_EQ(num_fit, split.num_fit) << split.file;
    EXPECT_EQ(num_predicted, split.num_development) << split.file;
  }
  for (const auto& entry : fs::directory_iterator{source("experiments/validation")})
    if (entry.path().extension() == ".yaml") {
      EXPECT_TRUE(named.contains("experiments/validation/" + entry.path().filename().string()))
          << entry.path();
    }
}

}  // namespace
}  // namespace switchyard
