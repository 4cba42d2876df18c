#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sim/cli/experiment.hpp"
#include "sim/engine/run_memory.hpp"

namespace switchyard {
namespace {

/// A run in a few words: what follows the model's name in an experiment file.
struct RemedyCase {
  const char* text;
  double memory_share;  ///< that the device has, of what its fullest rank takes
};

/// "a=1, b=2" as --set takes it.
std::vector<std::string> changes_of(std::string_view change) {
  std::vector<std::string> changes;
  while (!change.empty()) {
    const std::size_t comma = change.find(", ");
    changes.emplace_back(change.substr(0, comma));
    change = comma == std::string_view::npos ? "" : change.substr(comma + 2);
  }
  return changes;
}

TrainingRunSpec run_of(const RemedyCase& remedy_case, const std::vector<std::string>& changes) {
  const std::string file = ::testing::TempDir() + "memory_remedies.yaml";
  std::ofstream{file} << "name: remedies\n" << remedy_case.text << "draws: 0\n";
  return load_experiment(file, changes).cases.at(0).run;
}

constexpr const char* kDense =
    "model: llama-2-7b\nsystem: dgx-h100\npartition: {data: 8}\nprecision: bfloat16\n"
    "batch: {sequences: 64, target_tokens: 4096, microbatch_sequences: 4}\n";
constexpr const char* kExperts =
    "model: mixtral-8x7b\nsystem: dgx-h100-x16\npartition: {data: 128, expert: 8}\n"
    "precision: bfloat16\nrouting: {kind: uniform, dropless: true}\n"
    "batch: {sequences: 256, target_tokens: 4096, microbatch_sequences: 2}\n";
constexpr const char* kPipeline =
    "model: mixtral-8x22b\nsystem: dgx-h100-x16\nprecision: bfloat16\n"
    "partition: {tensor: 2, pipeline: 4, expert: 8, expert_tensor: 1, zero: 1}\n"
    "routing: {kind: uniform, capacity_factor: 1.0, group_tokens: 4096}\n"
    "batch: {sequences: 256, target_tokens: 4096, microbatch_sequences: 1}\n";
constexpr const char* kOneHot =
    "model: switch-base\nsystem: tpu-v3-32\npartition: {data: 32, expert: 32}\n"
    "precision: selective\nrouting: {kind: uniform, capacity_factor: 1.25, group_tokens: 2048}\n"
    "batch: {sequences: 1024, input_tokens: 512, target_tokens: 114, microbatch_sequences: 4}\n";

const std::vector<RemedyCase> kRemedyCases = {{kDense, 0.9},   {kDense, 0.5},    {kExperts, 0.9},
                                              {kExperts, 0.5}, {kPipeline, 0.9}, {kPipeline, 0.7},
                                              {kOneHot, 0.9},  {kOneHot, 0.6}};

// A device with a share of what the fullest rank takes: the run does not fit, and each change that
// is proposed, applied to the file, fits and takes what the proposal says.
TEST(MemoryRemedies, FitWhenAppliedAsWritten) {
  std::set<std::string> kinds;
  for (const RemedyCase& remedy_case : kRemedyCases) {
    TrainingRunSpec run = run_of(remedy_case, {});
    run.system.device.memory_capacity =
        (remedy_case.memory_share / run.system.device.memory_usable) *
        fullest(memory_by_stage(run)).total();
    ASSERT_FALSE(fits(fullest(memory_by_stage(run)), run.system.device)) << remedy_case.text;
    for (const MemoryRemedy& remedy : memory_remedies(run)) {
      const TrainingRunSpec changed = run_of(remedy_case, changes_of(remedy.change));
      const MemoryEstimate memory = fullest(memory_by_stage(changed));
      EXPECT_TRUE(fits(memory, run.system.device)) << remedy_case.text << remedy.change;
      EXPECT_EQ(memory.total(), remedy.total) << remedy_case.text << remedy.change;
      kinds.insert(remedy.change.substr(0, remedy.change.find('=')));
    }
  }
  EXPECT_EQ(kinds,
            (std::set<std::string>{"batch.microbatch_sequences", "partition.pipeline",
                                   "partition.tensor", "partition.zero", "schedule.recompute"}));
}

}  // namespace
}  // namespace switchyard
