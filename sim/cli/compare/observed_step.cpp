#include "sim/cli/compare/observed_step.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

struct Interval {
  double start = 0;
  double end = 0;
};

/// Intervals one after the other that cover the same time.
std::vector<Interval> joined(std::vector<Interval> intervals) {
  std::ranges::sort(intervals, {}, &Interval::start);
  std::vector<Interval> result;
  for (const Interval& next : intervals) {
    if (result.empty() || next.start > result.back().end)
      result.push_back(next);
    else
      result.back().end = std::max(result.back().end, next.end);
  }
  return result;
}

double length(const std::vector<Interval>& intervals) {
  return std::accumulate(intervals.begin(), intervals.end(), 0.0,
                         [](double sum, const Interval& i) { return sum + (i.end - i.start); });
}

/// How much of `part` is covered by joined intervals.
double covered(const Interval& part, const std::vector<Interval>& intervals) {
  double sum = 0;
  auto next = std::ranges::upper_bound(intervals, part.start, {}, &Interval::end);
  for (; next != intervals.end() && next->start < part.end; ++next)
    sum += std::max(0.0, std::min(part.end, next->end) - std::max(part.start, next->start));
  return sum;
}

using Kernels = std::vector<const TracedKernel*>;

Interval interval_of(const TracedKernel& kernel) {
  return {kernel.start_us, kernel.start_us + kernel.duration_us};
}

int busiest_device(const GpuTrace& trace) {
  std::map<int, double> busy;
  for (const TracedKernel& kernel : trace.kernels) busy[kernel.device] += kernel.duration_us;
  return std::ranges::max_element(busy, {}, [](const auto& d) { return d.second; })->first;
}

double launched_at(const GpuTrace& trace, const TracedKernel& kernel) {
  const auto launch = trace.launches.find(kernel.correlation);
  return launch == trace.launches.end() ? kernel.start_us : launch->second.start_us;
}

/// A step with its kernels.
struct StepKernels {
  std::string name;
  double span_us = 0;
  Kernels kernels;
};

StepKernels whole_trace(const Kernels& kernels) {
  double first = kernels.front()->start_us;
  double last = first;
  for (const TracedKernel* kernel : kernels) {
    first = std::min(first, kernel->start_us);
    last = std::max(last, interval_of(*kernel).end);
  }
  return {"the whole trace", last - first, kernels};
}

StepKernels median_step(const GpuTrace& trace, const Kernels& kernels) {
  std::vector<StepKernels> steps;
  for (const TracedStep& step : trace.steps) steps.push_back({step.name, step.duration_us, {}});
  for (const TracedKernel* kernel : kernels) {
    const double at = launched_at(trace, *kernel);
    auto after = std::ranges::upper_bound(trace.steps, at, {}, &TracedStep::start_us);
    if (after == trace.steps.begin()) continue;
    const TracedStep& step = *--after;
    if (at < step.start_us + step.duration_us)
      steps[static_cast<std::size_t>(after - trace.steps.begin())].kernels.push_back(kernel);
  }
  std::erase_if(steps, [](const StepKernels& step) { return step.kernels.empty(); });
  if (steps.empty()) return whole_trace(kernels);
  const auto middle = steps.begin() + (std::ssize(steps) - 1) / 2;
  std::ranges::nth_element(steps, middle, {}, &StepKernels::span_us);
  StepKernels result = *middle;
  if (steps.size() > 1) result.name += fmt::format(", the median of {} steps", steps.size());
  return result;
}

}  // namespace

ObservedStep observed_step(const GpuTrace& trace, std::span<const KernelClass> classes) {
  SWITCHYARD_CHECK(!trace.kernels.empty(), "no kernels");
  const int device = busiest_device(trace);
  Kernels all;
  for (const TracedKernel& kernel : trace.kernels)
    if (kernel.device == device) all.push_back(&kernel);
  StepKernels step = median_step(trace, all);
  std::ranges::stable_sort(step.kernels, {}, &TracedKernel::start_us);

  ObservedStep result{.name = step.name, .span = Seconds{step.span_us / 1e6}};
  std::map<std::string, UnmappedKernel> unmapped;
  std::vector<Interval> computing;
  std::vector<Interval> busy;
  for (const TracedKernel* kernel : step.kernels) {
    const auto found = class_of_kernel(kernel->name, classes);
    busy.push_back(interval_of(*kernel));
    if (found && is_communication(*found)) continue;
    computing.push_back(interval_of(*kernel));
    const Seconds time{kernel->duration_us / 1e6};
    if (found) {
      result.times.at(static_cast<std::size_t>(*found)) += time;
      continue;
    }
    result.unmapped += time;
    UnmappedKernel& same =
        unmapped.try_emplace(kernel->name, kernel->name, 0, Seconds{}).first->second;
    ++same.calls;
    same.time += time;
  }
  computing = joined(std::move(computing));
  double communicated = 0;  // until then another collective is counted already
  for (const TracedKernel* kernel : step.kernels) {
    const auto found = class_of_kernel(kernel->name, classes);
    if (!found || !is_communication(*found)) continue;
    Interval part = interval_of(*kernel);
    part.start = std::min(part.end, std::max(part.start, communicated));
    communicated = std::max(communicated, part.end);
    result.times.at(static_cast<std::size_t>(*found)) +=
        Seconds{(part.end - part.start - covered(part, computing)) / 1e6};
  }
  result.idle = std::max(Seconds{}, result.span - Seconds{length(joined(std::move(busy))) / 1e6});
  for (auto& [name, kernel] : unmapped) result.unmapped_kernels.push_back(std::move(kernel));
  std::ranges::stable_sort(result.unmapped_kernels, std::ranges::greater{}, &UnmappedKernel::time);
  return result;
}

}  // namespace switchyard
