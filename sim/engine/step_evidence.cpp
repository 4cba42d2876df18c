#include "sim/engine/step_evidence.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace switchyard {
namespace {

bool is_unproven(Provenance provenance) { return provenance >= Provenance::kExtrapolated; }

/// "decoder.12.experts.wi.forward" -> "decoder.*.experts.wi.forward".
std::string without_layer(const std::string& name) {
  std::string pattern;
  std::size_t begin = 0;
  for (std::size_t end = 0; begin <= name.size(); begin = end + 1) {
    end = std::min(name.find('.', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    const bool is_number = !part.empty() && std::ranges::all_of(part, [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    pattern += (begin == 0 ? "" : ".") + (is_number ? "*" : part);
  }
  return pattern;
}

/// Operators by name; collectives by class, as far as the rank does nothing beside them.
std::vector<UnprovenTime> unproven_times(const TrainingResult& result) {
  std::map<std::string, UnprovenTime> by_name;
  const auto add = [&](const std::string& name, Provenance provenance, Seconds time) {
    UnprovenTime& entry =
        by_name.try_emplace(name, UnprovenTime{name, provenance, 0}).first->second;
    entry.provenance = std::max(entry.provenance, provenance);
    entry.share_of_step += time / result.step_time;
  };
  // Of a pipeline one chunk of the busiest stage is shown: it stands for the others.
  const double chunks = result.pipeline ? result.pipeline->spec.chunks_per_stage : 1;
  for (std::size_t i = 0; i < result.tasks.tasks.size(); ++i) {
    const Task& task = result.tasks.tasks[i];
    if (is_collective(task) || !is_unproven(task.evidence.provenance)) continue;
    const double times = i < result.num_microbatch_tasks ? result.num_microbatches : 1;
    add(without_layer(task.name), task.evidence.provenance, chunks * times * task.duration);
  }
  for (const ClassShare& share : result.breakdown) {
    if (share.sent == Bytes{}) continue;
    for (int p = 0; p < kNumProvenances; ++p)
      if (const auto place = static_cast<std::size_t>(p);
          is_unproven(static_cast<Provenance>(p)) &&
          share.sources.by_provenance.at(place) > Seconds{})
        add(std::string{class_name(share.operator_class)}, static_cast<Provenance>(p),
            share.sources.by_provenance.at(place));
  }
  std::vector<UnprovenTime> sorted;
  for (auto& [name, entry] : by_name) sorted.push_back(std::move(entry));
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &UnprovenTime::share_of_step);
  return sorted;
}

}  // namespace

double unproven_share(const StepEvidence& evidence) {
  double share = 0;
  for (int p = 0; p < kNumProvenances; ++p)
    if (is_unproven(static_cast<Provenance>(p)))
      share += evidence.shares.at(static_cast<std::size_t>(p));
  return share;
}

std::optional<StepEvidence> step_evidence(const TrainingResult& result,
                                          const DeviceProfile& device) {
  if (!device.kernels && !device.step_interval) return std::nullopt;
  const Seconds fastest{result.step_time_over_draws.p5};
  const Seconds slowest{result.step_time_over_draws.p95};
  if (!device.kernels)
    return StepEvidence{.low = device.step_interval->low * fastest,
                        .high = device.step_interval->high * slowest};
  TimeSources all;
  Seconds busy;
  for (const ClassShare& share : result.breakdown) {
    busy += share.time;
    all.low += share.sources.low;
    all.high += share.sources.high;
    for (std::size_t p = 0; p < all.by_provenance.size(); ++p)
      all.by_provenance.at(p) += share.sources.by_provenance.at(p);
  }
  StepEvidence evidence{.low = fastest, .high = slowest, .has_kernels = true};
  if (busy == Seconds{}) return evidence;
  evidence.low = (all.low / busy) * fastest;
  evidence.high = (all.high / busy) * slowest;
  for (std::size_t p = 0; p < evidence.shares.size(); ++p) {
    evidence.shares.at(p) = all.by_provenance.at(p) / busy;
    if (all.by_provenance.at(p) > Seconds{}) evidence.worst = static_cast<Provenance>(p);
  }
  evidence.unproven = unproven_times(result);
  return evidence;
}

}  // namespace switchyard
