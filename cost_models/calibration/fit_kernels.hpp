#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"

namespace switchyard {

struct FitOptions {
  int bootstraps = 60;
  std::uint64_t seed = 1;
};

/// Fits a form to each kind and variant that has points of role kFit; others are not looked
/// at, but for the errors in KernelModel::held_out and the noise.
///
/// Constants: least squares of the logarithmic error, linear beyond 5 %, from several starts, the
/// best of them rounded to four digits. Their ranges: fits to points drawn with replacement. The
/// reach and the residual: each point predicted by a fit to the others. What copies say of caches
/// and memory (is_of_memory()) is where the other kinds start from, and stay near. Of kinds whose
/// points never share the machine, what sharing costs is not known and taken to be nothing; of
/// fewer points than constants, the starts decide. Models are by kind and variant; the order of the
/// points does not matter. Deterministic.
[[nodiscard]] std::vector<KernelModel> fit_kernels(std::span<const KernelPoint> points,
                                                   const ProductTiles& tiles,
                                                   const FitOptions& options = {});

/// A comparison that knows little: the roofline of the device's best rates divided by the one
/// efficiency that fits best, and the geometric mean of the measured times.
struct KernelBaseline {
  FlopPerSecond peak;        ///< largest rate of any point
  BytesPerSecond bandwidth;  ///< of the largest copy; of all points where none was measured
  double efficiency = 1;
  Seconds constant;

  [[nodiscard]] Seconds roofline(const KernelCall& call) const;
};

/// The baseline of a model, from its points and from the rates of all.
[[nodiscard]] KernelBaseline fit_baseline(const KernelModel& model,
                                          std::span<const KernelModel> all);

}  // namespace switchyard
