#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"
#include "sim/workload/collective_kind.hpp"

namespace switchyard {

/// A collective as measured.
struct CollectivePoint {
  CollectiveKind kind = CollectiveKind::kAllToAll;
  std::string transport{};  ///< loopback, mpi, nccl
  int ranks = 2;
  Bytes size{};  ///< one rank's whole buffer
  PointRole role = PointRole::kFit;
  Seconds time{};
  Seconds p10{};
  Seconds p90{};
  double pass_ratio = 1;
};

/// A whole MoE layer as measured; never fitted to.
struct LayerPoint {
  bool has_backward = false;
  int element_bytes = 4;
  std::int64_t tokens = 0;  ///< of a data rank
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;
  std::string activation{};
  int experts = 1;
  int choices = 1;
  int data = 1;
  int tensor = 1;
  int expert = 1;
  double skew = 0;  ///< the r-th expert has a share r^-skew of the choices
  std::string transport{};
  int threads = 1;
  Seconds time{};
  Seconds p10{};
  Seconds p90{};
  double pass_ratio = 1;
};

/// "tokens=512 d_model=256 ...", as in files of points.
[[nodiscard]] std::string shape_text(const LayerPoint& point);

/// What files of points hold.
struct MeasuredPoints {
  MeasuredDevice device;
  std::vector<KernelPoint> kernels;
  std::vector<CollectivePoint> collectives;
  std::vector<LayerPoint> layers;
  std::vector<std::string> lines;  ///< of the files: heads of the first, all rows
};

/// Reads files that `switchyard-kernels measure` wrote, together. Passes over the same point are
/// one point; a last line that was not written to its end is ignored. Times are those at the
/// fastest speed that the reference product showed: each is multiplied by the fastest reference
/// with as many ranks at work over the one beside it. Points without a reference, such as imported
/// ones, are as they are.
/// @throws ConfigError with every problem by file and line: another version, another device or
///         software than the file before, unknown operators, wrong shapes, times that are no times.
[[nodiscard]] MeasuredPoints read_points(const std::vector<std::filesystem::path>& files);

}  // namespace switchyard
