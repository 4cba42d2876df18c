#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cost_models/calibration/kernel_profile.hpp"

namespace switchyard {

/// A made-up kernel each of whose calls takes `time`, within exp(+-residual).
struct FlatKernel {
  KernelKind kind = KernelKind::kGemm;
  Seconds time{};
  double residual = 0;
  int element_bytes = 4;
  bool covers_all = true;  ///< sizes from 1 to 1e5 were measured; else one call of sizes 1
};

/// A profile of such kernels. The two points of a kernel that covers all are the ends of the box
/// within which a call counts as fitted.
inline std::shared_ptr<const KernelProfile> flat_kernels(const std::vector<FlatKernel>& kernels) {
  KernelProfile profile;
  for (const FlatKernel& kernel : kernels) {
    KernelModel model{.kind = kernel.kind};
    model.constants[static_cast<std::size_t>(KernelConstant::kLaunch)] = kernel.time.base();
    model.residual = kernel.residual;
    for (const std::int64_t size : {std::int64_t{1}, std::int64_t{100'000}}) {
      if (size > 1 && !kernel.covers_all) continue;
      KernelPoint point{.call = {.kind = kernel.kind, .element_bytes = kernel.element_bytes}};
      point.call.sizes.assign(size_names(kernel.kind).size(), size);
      point.time = point.p10 = point.p90 = kernel.time;
      model.points.push_back(std::move(point));
    }
    profile.models.push_back(std::move(model));
  }
  for (KernelModel& model : profile.models) place_points(model, profile.tiles);
  return std::make_shared<const KernelProfile>(std::move(profile));
}

}  // namespace switchyard
