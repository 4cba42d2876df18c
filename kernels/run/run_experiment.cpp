#include "kernels/run/run_experiment.hpp"

#include <algorithm>
#include <functional>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/gather.hpp"
#include "kernels/run/given_choices.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {
namespace {

/// The longest of all ranks, step by step.
void spread_times(Communicator& ranks, const std::vector<StepTimes>& steps,
                  RunMeasurement& measurement) {
  constexpr std::size_t kWholes = 3;
  std::vector<double> mine;
  for (const StepTimes& step : steps) {
    mine.insert(mine.end(), {step.forward_s, step.backward_s, step.step_s});
    mine.insert(mine.end(), step.phases.seconds.begin(), step.phases.seconds.end());
  }
  const auto longest = max_over_ranks<double>(ranks, mine);
  const auto spread = [&](std::size_t column) {
    std::vector<double> seconds;
    for (std::size_t i = column; i < longest.size(); i += kWholes + kNumPhases)
      seconds.push_back(longest[i]);
    return spread_of(seconds);
  };
  measurement.forward_s = spread(0);
  measurement.backward_s = spread(1);
  measurement.step_s = spread(2);
  const bool has_backward = measurement.spec.mode == RunMode::kForwardBackward;
  for (std::size_t p = 0; p < kNumPhases; ++p)
    if (has_backward || p < static_cast<std::size_t>(Phase::kCombineBackward))
      measurement.phases.push_back({phase_name(static_cast<Phase>(p)), spread(kWholes + p)});
}

/// Whether all ranks take the CUDA backend.
bool takes_cuda(BackendChoice choice, Communicator& ranks) {
  if (choice != BackendChoice::kAuto) return choice == BackendChoice::kCuda;
  const std::int32_t without = has_cuda() && num_gpus() > 0 ? 0 : 1;
  return sum_over_ranks<std::int32_t>(ranks, {&without, 1})[0] == 0;
}

void measure(RunBackend& backend, RunMeasurement& measurement) {
  const RunSpec& spec = measurement.spec;
  const RankGroups groups = make_groups(spec.partition, backend.ranks());
  LocalFault fault;
  std::unique_ptr<RunLayers> runner;
  fault.guard([&] { runner = backend.make_layers(spec, groups); });
  agree(*groups.all, fault);
  measurement.instruction_set = backend.processor();
  std::vector<StepTimes> steps;
  for (int number = 0; number < spec.warmup + spec.steps; ++number) {
    const StepTimes times = runner->step(number);
    if (number >= spec.warmup) steps.push_back(times);
  }
  fault.guard([&] {
    runner->check_choices();
    runner->check_outputs();
  });
  agree(*groups.all, fault);
  spread_times(*groups.all, steps, measurement);
  runner->count(measurement);
  const PhaseTimes& last = steps.back().phases;
  const auto bytes = sum_over_ranks<std::int64_t>(
      *groups.all, std::vector{last.all_to_all_bytes, last.tensor_all_reduce_bytes,
                               last.gradient_all_reduce_bytes});
  measurement.all_to_all_bytes = bytes[0];
  measurement.tensor_all_reduce_bytes = bytes[1];
  measurement.gradient_all_reduce_bytes = bytes[2];
  for (std::size_t l = 0; l < measurement.expert_choices.size(); ++l)
    for (std::size_t e = 0; e < measurement.expert_choices[l].size(); ++e) {
      measurement.num_choices += measurement.expert_choices[l][e];
      measurement.num_dropped += measurement.expert_choices[l][e] - measurement.expert_rows[l][e];
    }
}

}  // namespace

void require_same_on_all(Communicator& ranks, const std::string& what, const std::string& text) {
  const std::uint64_t mine = std::hash<std::string>{}(text);
  const auto all = gathered<std::uint64_t>(ranks, {&mine, 1});
  const auto other = std::ranges::find_if(all, [&](std::uint64_t x) { return x != all.front(); });
  if (other == all.end()) return;
  throw KernelError{Fault::kSpec, "rank " + std::to_string(other - all.begin()) +
                                      ": expected the " + what + " of rank 0, got another"};
}

RunMeasurement run_experiment(const RunSpec& spec, Communicator& ranks) {
  const bool is_traced = spec.routing == InputRouting::kTrace;
  require_same_on_all(
      ranks, "run",
      write_run_spec(spec) + (is_traced && spec.choices ? npy_file(*spec.choices) : ""));
  validate(spec.layer);
  validate(spec.partition, spec.layer, ranks.num_ranks());
  validate_tokens(spec.tokens_per_rank, spec.partition, spec.layer);
  if (is_traced) require_choices(spec);
  const auto backend =
      takes_cuda(spec.backend, ranks) ? make_cuda_run_backend(ranks) : make_cpu_run_backend(ranks);
  RunMeasurement measurement{
      .spec = spec, .num_ranks = ranks.num_ranks(), .backend = backend->name()};
  measure(*backend, measurement);
  return measurement;
}

}  // namespace switchyard::kernels
