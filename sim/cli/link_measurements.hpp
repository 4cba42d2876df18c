#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/planner/fit_collectives.hpp"
#include "sim/planner/fit_expert_parallel.hpp"

namespace switchyard {

/// A published speed of an expert-parallel library, to be compared with and never fitted to.
struct PublishedTransfer {
  std::string id;
  std::string system;
  ExpertParallelModeKind mode = ExpertParallelModeKind::kNormal;
  ExpertParallelShape shape;
  ExpertParallelLinks links;
  bool is_bandwidth = false;  ///< dispatch and combine are in GB/s, otherwise in us
  double dispatch = 0;
  double combine = 0;
};

/// What files of measurements hold.
struct LinkMeasurements {
  std::vector<std::string> comments;  ///< lines of the files that begin with '#': their sources
  std::vector<CollectiveMeasurement> collectives;
  std::vector<ExpertParallelMeasurement> expert_parallel;
  std::vector<PublishedTransfer> published;
};

/// Adds the rows of a CSV file, whose columns say what it measures: collectives (nccl_version),
/// normal mode (dispatch_sms), low-latency mode (dispatch_GBps) or published figures (id). Lines
/// that begin with '#' are comments; further columns are ignored.
/// @throws ConfigError with every problem, each by file and line.
void add_link_measurements(const std::filesystem::path& file, LinkMeasurements& measurements);

}  // namespace switchyard
