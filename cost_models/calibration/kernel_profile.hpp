#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cost_models/calibration/kernel_model.hpp"
#include "cost_models/calibration/sustained_speed.hpp"
#include "sim/core/constant.hpp"

namespace switchyard {

/// What a measured point may be used for.
enum class PointRole { kFit, kHeldOut, kLayer };

/// A kernel as measured: all passes over one call.
struct KernelPoint {
  KernelCall call;
  PointRole role = PointRole::kFit;
  Seconds time{};         ///< geometric mean of the passes' medians
  Seconds p10{};          ///< least of the passes
  Seconds p90{};          ///< largest
  double pass_ratio = 1;  ///< slowest pass over fastest; 1 where there was one
};

/// Errors of predictions, relative and without sign.
struct KernelErrors {
  int points = 0;
  double median = 0;
  double p90 = 0;
  double largest = 0;
};
[[nodiscard]] KernelErrors summarize_errors(std::vector<double> errors);

/// Where a point lies, and what the form says about it. Made by place_points().
struct PlacedPoint {
  std::vector<double> coordinates;  ///< coordinates(), then log2 of operations and of bytes
  double error = 0;  ///< log(measured / form), at most 2.5 times as large as half of the others
};

/// One form with its constants: of a kind and a variant.
struct KernelModel {
  KernelKind kind = KernelKind::kLaunch;
  std::string variant{};
  KernelConstants constants = neutral_constants();
  KernelConstants lowest{};   ///< 5 % of bootstrapped fits are below
  KernelConstants highest{};  ///< 5 % are above
  /// Octaves over which the error of a measured point says something of its neighbours; 0: none.
  double reach = 0;
  /// 90 % intervals are exp(+-) this: what is left over where points were not in the fit
  /// (residual); outside the measured range also how far the bootstrapped fits are apart
  /// (parameters).
  double residual = 0;
  double parameters = 0;
  double noise = 0;  ///< median difference between passes over one point
  KernelErrors held_out{};
  std::string source{};  ///< files that its points were imported from; empty: measured by us
  std::vector<KernelPoint> points{};  ///< that it was fitted to
  std::vector<PlacedPoint> placed{};  ///< beside them
};

/// Where kernels were measured.
struct MeasuredDevice {
  std::string backend;  ///< cpu, cuda
  std::string device;
  std::string software;
  std::string started;  ///< date and time
  int cores = 1;
  Bytes last_level_cache{};
  Bytes memory{};
  double drift = 0;         ///< slowest over fastest time of a reference product, less 1
  int gpus = 0;             ///< of the machine; 0: not said
  int multiprocessors = 0;  ///< of a GPU, and the tile its products are cut into; 0: not said
  int tile_rows = 0;
  int tile_columns = 0;
};

/// The kernels of a software stack on a device, as measured.
struct KernelProfile {
  std::string name;
  MeasuredDevice measured;
  ProductTiles tiles;
  std::vector<KernelModel> models;
  std::string points_file;  ///< the points as measured
  /// Profiles of collectives, by transport.
  std::map<std::string, std::string> links_files;
  int threads = 1;     ///< of a rank of the system that is predicted
  int busy_ranks = 1;  ///< of its machine
  /// What long runs keep, by class of operators; empty where that was not measured.
  std::map<std::string, SustainedSpeed, std::less<>> sustained{};
  KernelSpeed speed = KernelSpeed::kBurst;  ///< that predictions of the system are of
};

struct KernelPrediction {
  Seconds time;
  Provenance provenance = Provenance::kFitted;
  Seconds low;  ///< 90 % of measurements are expected between these
  Seconds high;
};

/// The model of a call; nullptr where none was measured.
[[nodiscard]] const KernelModel* find_model(const KernelProfile& profile, const KernelCall& call);

/// The form alone, whatever was measured nearby.
[[nodiscard]] Seconds form_time(const KernelModel& model, const KernelCall& call,
                                const ProductTiles& tiles);

/// Sets `placed`, after the constants or the points of the model changed.
void place_points(KernelModel& model, const ProductTiles& tiles);

/// What a call takes:
///
///   measured       it was measured and fitted to: that time, between its p10 and p90
///   fitted         within the range of what was: form_time() * exp(c), where c is the mean
///                  logarithmic error of the measured points, weighted by exp(-(d / reach)^2) with
///                  d their distance in octaves, and 0.5 for an error of 0
///   extrapolated   outside: the form alone; its interval is wider by each octave
///
/// The range is the least box of coordinates() and of log2 of operations and bytes of plain_work().
/// Precondition: place_points() was called (checked).
/// @param skipped  a point of the model that is left out; for what would be predicted without it
[[nodiscard]] KernelPrediction predict_kernel(const KernelModel& model, const KernelCall& call,
                                              const ProductTiles& tiles, int skipped = -1);

}  // namespace switchyard
