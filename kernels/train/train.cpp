#include "kernels/train/train.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/gather.hpp"
#include "kernels/run/run_experiment.hpp"
#include "kernels/train/train_stack.hpp"

namespace switchyard::kernels {
namespace {

/// Adds the choices of all data ranks to the trace of rank 0.
void record(const RankGroups& groups, std::span<const std::int16_t> mine, RoutingTrace& trace) {
  const auto all = gathered(*groups.data, mine);
  if (groups.all->rank() != 0) return;
  // From (ranks, layers, T, k) to (layers, ranks, T, k).
  const auto num_layers = static_cast<std::size_t>(trace.num_layers);
  const std::size_t num_ranks = all.size() / std::max<std::size_t>(1, mine.size());
  const std::size_t size = mine.size() / num_layers;
  std::vector<std::int16_t> by_layer;
  for (std::size_t l = 0; l < num_layers; ++l)
    for (std::size_t r = 0; r < num_ranks; ++r) {
      const auto part = std::span{all}.subspan((r * num_layers + l) * size, size);
      by_layer.insert(by_layer.end(), part.begin(), part.end());
    }
  add_step(by_layer, trace);
}

template <class T>
void run_steps(const TrainSpec& spec, const RankGroups& groups, TrainResult& result) {
  LocalFault fault;
  std::unique_ptr<TrainStack<T>> stack;
  std::optional<ClusterTokens> clusters;
  fault.guard([&] {
    stack = std::make_unique<TrainStack<T>>(spec, groups);
    clusters.emplace(spec.tokens, spec.layer.d_model, spec.seed);
  });
  agree(*groups.all, fault);
  const std::int64_t first_token = spec.tokens_per_rank * groups.place.data;
  for (int number = 0; number < spec.steps; ++number) {
    LabelledTokens tokens;
    fault.guard([&] {
      tokens =
          clusters->draw(static_cast<std::uint64_t>(number), first_token, spec.tokens_per_rank);
    });
    agree(*groups.all, fault);
    try {
      result.steps.push_back(stack->step(number, tokens));
      if (number + 1 == spec.steps) {
        fault.guard([&] { stack->require_finite_weights(); });
        agree(*groups.all, fault);
      }
    } catch (const KernelError& error) {
      if (error.fault() != Fault::kNotFinite) throw;
      result.stopped = "step " + std::to_string(number) + ": " + error.what();
      return;
    }
    if (spec.trace_every > 0 && number % spec.trace_every == 0)
      record(groups, stack->choices(), result.trace);
  }
}

}  // namespace

TrainResult train(const TrainSpec& spec, Communicator& ranks) {
  require_same_on_all(ranks, "training", write_train_spec(spec));
  validate(spec.layer);
  validate(spec.partition, spec.layer, ranks.num_ranks());
  validate_sizes(spec);
  if (spec.layer.num_experts > std::numeric_limits<std::int16_t>::max())
    throw KernelError{Fault::kSpec, "train: num_experts is " +
                                        std::to_string(spec.layer.num_experts) +
                                        ", expected at most 32767"};
  TrainResult result{.spec = spec};
  result.trace.num_layers = spec.layers;
  result.trace.top_k = spec.layer.router.top_k;
  const RankGroups groups = make_groups(spec.partition, ranks);
  if (stores_bfloat16(spec.layer.precision))
    run_steps<BFloat16>(spec, groups, result);
  else
    run_steps<float>(spec, groups, result);
  return result;
}

}  // namespace switchyard::kernels
