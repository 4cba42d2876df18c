#include <algorithm>
#include <cmath>

#include "cost_models/calibration/fit_kernels.hpp"
#include "sim/core/quantile.hpp"

namespace switchyard {

Seconds KernelBaseline::roofline(const KernelCall& call) const {
  const KernelWork work = plain_work(call);
  Seconds time = (work.traffic + work.weights) / bandwidth;
  if (work.flop > Flop{}) time = std::max(time, work.flop / peak);
  return time / (efficiency * call.threads);
}

KernelBaseline fit_baseline(const KernelModel& model, std::span<const KernelModel> all) {
  KernelBaseline baseline;
  const bool has_copy = std::ranges::find(all, KernelKind::kCopy, &KernelModel::kind) != all.end();
  Bytes largest_copy;
  for (const KernelModel& other : all) {
    for (const KernelPoint& point : other.points) {
      const KernelWork work = plain_work(point.call);
      const double threads = point.call.threads;
      baseline.peak = std::max(baseline.peak, work.flop / (threads * point.time));
      const BytesPerSecond bandwidth = (work.traffic + work.weights) / (threads * point.time);
      if (!has_copy) baseline.bandwidth = std::max(baseline.bandwidth, bandwidth);
      if (other.kind != KernelKind::kCopy || work.traffic < largest_copy) continue;
      largest_copy = work.traffic;
      baseline.bandwidth = bandwidth;
    }
  }
  std::vector<double> ratios;
  double logs = 0;
  for (const KernelPoint& point : model.points) {
    const Seconds ideal = baseline.roofline(point.call);
    if (ideal > Seconds{}) ratios.push_back(ideal / point.time);
    logs += std::log(point.time.base());
  }
  if (!ratios.empty()) baseline.efficiency = quantile(ratios, 0.5);
  baseline.constant = Seconds{std::exp(logs / static_cast<double>(model.points.size()))};
  return baseline;
}

}  // namespace switchyard
