#include "kernels/measure/quiet_samples.hpp"

#include <algorithm>

#include "kernels/comm/gather.hpp"
#include "kernels/run/run_measurement.hpp"

namespace switchyard::kernels {
namespace {

/// On the slowest rank.
double reference_s(Communicator& ranks, const ReferenceProduct& reference) {
  const auto& work = reference.of_ranks.at(static_cast<std::size_t>(ranks.rank()));
  const double best = std::min(work(), work());
  return max_over_ranks<double>(ranks, {&best, 1}).front();
}

PointTiming timing_of(Communicator& ranks, const std::vector<Sample>& samples, std::size_t column) {
  std::vector<double> seconds;
  for (const Sample& sample : samples) seconds.push_back(sample.at(column));
  const Spread mine = spread_of(std::move(seconds));
  const std::vector<double> quantiles{mine.median, mine.p10, mine.p90};
  const auto sums = sum_over_ranks<double>(ranks, quantiles);
  const double num_ranks = ranks.num_ranks();
  return {.repeats = static_cast<int>(samples.size()),
          .median_s = sums[0] / num_ranks,
          .p10_s = sums[1] / num_ranks,
          .p90_s = sums[2] / num_ranks};
}

/// Samples, and the reference of each chunk of them.
struct Collected {
  std::vector<Sample> samples;
  std::vector<double> references;
};

}  // namespace

bool is_disturbed(Communicator& ranks, ReferenceProduct& reference) {
  const double now = reference_s(ranks, reference);
  double slowness = 0.0;
  if (ranks.rank() == 0) {
    double& best = reference.best_s.at(static_cast<std::size_t>(ranks.num_ranks() - 1));
    best = std::min(best, now);
    slowness = now / best;
  }
  return gathered<double>(ranks, {&slowness, 1}).front() > kDisturbed;
}

QuietSamples take_samples(Communicator& ranks, ReferenceProduct& reference,
                          const std::function<Sample()>& take, const RepeatSpec& repeats) {
  constexpr double kMostTries = 1.5;  // times the repeats that are wanted
  const double warm = take()[1];
  const double each = std::max(max_over_ranks<double>(ranks, {&warm, 1}).front(), 1e-9);
  const auto wanted = static_cast<std::size_t>(std::clamp(repeats.seconds / each,
                                                          static_cast<double>(repeats.least),
                                                          static_cast<double>(repeats.most)));
  const auto chunk = static_cast<std::size_t>(
      std::clamp(repeats.chunk_s / each, 1.0, static_cast<double>(wanted)));

  double before = reference_s(ranks, reference);
  double best = before;
  if (ranks.rank() == 0) {
    best = std::min(best, reference.best_s.at(static_cast<std::size_t>(ranks.num_ranks() - 1)));
  }
  best = gathered<double>(ranks, {&best, 1}).front();
  Collected quiet;
  Collected all;
  while (quiet.samples.size() < wanted &&
         static_cast<double>(all.samples.size()) < kMostTries * static_cast<double>(wanted)) {
    std::vector<Sample> taken;
    for (std::size_t i = 0; i < chunk; ++i) taken.push_back(take());
    const double after = reference_s(ranks, reference);
    const double around = std::max(before, after);
    best = std::min({best, before, after});
    for (Collected* into : {&quiet, &all}) {
      if (into == &quiet && around > kDisturbed * best) continue;
      into->samples.insert(into->samples.end(), taken.begin(), taken.end());
      into->references.push_back(around);
    }
    before = after;
  }
  if (ranks.rank() == 0)
    reference.best_s.at(static_cast<std::size_t>(ranks.num_ranks() - 1)) = best;
  const Collected& used = 2 * quiet.samples.size() >= wanted ? quiet : all;
  return {.first = timing_of(ranks, used.samples, 0),
          .second = timing_of(ranks, used.samples, 1),
          .reference_s = spread_of(used.references).median};
}

}  // namespace switchyard::kernels
