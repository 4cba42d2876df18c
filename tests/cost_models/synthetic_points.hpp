#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "cost_models/calibration/fit_kernels.hpp"
#include "sim/core/random.hpp"

namespace switchyard {

/// Constants of a made-up core: 100 GFLOP/s, 40 GB/s in cache, 8 GB/s of weights, 5 us of launch.
inline KernelConstants made_up_constants() {
  KernelConstants c = neutral_constants();
  const auto set = [&c](KernelConstant constant, double value) {
    c[static_cast<std::size_t>(constant)] = value;
  };
  set(KernelConstant::kLaunch, 5e-6);
  set(KernelConstant::kRate, 1e11);
  set(KernelConstant::kCacheBandwidth, 4e10);
  set(KernelConstant::kWeightBandwidth, 8e9);
  set(KernelConstant::kGroup, 2e-7);
  return c;
}

/// Products of random sizes whose times are the form's, times exp(noise * standard normal); every
/// third is held out.
inline std::vector<KernelPoint> made_up_products(int count, double noise, std::uint64_t seed) {
  auto rng = stream_engine(seed, {1});
  const auto size = [&rng](double smallest, double octaves) {
    return static_cast<std::int64_t>(smallest * std::exp2(octaves * open_unit(rng)));
  };
  std::vector<KernelPoint> points;
  for (int i = 0; i < count; ++i) {
    KernelPoint point;
    point.call.kind = KernelKind::kGemm;
    point.call.sizes = {size(8, 7), size(64, 5), size(64, 5)};
    point.role = i % 3 == 2 ? PointRole::kHeldOut : PointRole::kFit;
    const Seconds exact = kernel_time(kernel_work(point.call, {}), 0, made_up_constants());
    point.time = std::exp(noise * standard_normal(rng)) * exact;
    point.p10 = 0.99 * point.time;
    point.p90 = 1.01 * point.time;
    points.push_back(point);
  }
  return points;
}

}  // namespace switchyard
