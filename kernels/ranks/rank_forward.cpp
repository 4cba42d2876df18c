#include "kernels/cpu/expert_ffn.hpp"
#include "kernels/cpu/layer_check.hpp"
#include "kernels/cpu/permute.hpp"
#include "kernels/cpu/plan.hpp"
#include "kernels/cpu/router.hpp"
#include "kernels/cpu/shape_check.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/row_ids.hpp"
#include "kernels/ranks/chunk_experts.hpp"
#include "kernels/ranks/rank_layer.hpp"

namespace switchyard::kernels {
namespace {

std::size_t numbers(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

/// What needs no other rank.
template <class T>
void route_and_permute(const RankLayer& layer, const StepContext& step,
                       const MoeWeights<T>& weights, std::span<const T> inputs,
                       std::span<T> outputs, RankLayerState<T>& state, PhaseTimes& times) {
  const MoeLayerSpec& spec = layer.spec;
  validate(spec);
  validate(layer.groups.partition, spec, layer.groups.all->num_ranks());
  require_storage<T>(spec.precision);
  require_size("outputs", outputs.size(), rows_of("inputs", inputs.size(), spec.d_model),
               spec.d_model);
  require_weights(layer, view_of(weights.experts));
  add_time(times[Phase::kRouter], [&] {
    require_finite<T>("inputs", inputs, spec.d_model);
    route<T>(spec, step, layer.cpu, inputs, weights.router, state.routing);
  });
  add_time(times[Phase::kPlan], [&] { build_plan(spec, state.routing.experts, state.plan); });
  add_time(times[Phase::kPermute], [&] {
    state.rows.resize(numbers(state.plan.num_rows, spec.d_model));
    state.returned.resize(state.rows.size());
    permute<T>(state.plan, layer.cpu, spec.d_model, inputs, state.rows);
  });
}

/// Rows of this rank by expert.
std::vector<std::int64_t> row_counts(const DispatchPlan& plan) {
  std::vector<std::int64_t> counts;
  for (std::size_t e = 0; e + 1 < plan.offsets.size(); ++e)
    counts.push_back(plan.offsets[e + 1] - plan.offsets[e]);
  return counts;
}

template <class T>
void exchange_row_ids(const RankLayer& layer, const StepContext& step, RankLayerState<T>& state,
                      LocalFault& fault, PhaseTimes& times) {
  if (!drops_out(layer.spec, step)) return;
  Buffer<std::int64_t> sent;
  Buffer<std::int64_t> received;
  fault.guard([&] {
    sent = row_ids(state.plan, step, layer.spec.router.top_k);
    received.resize(static_cast<std::size_t>(num_received(state.chunks)));
    for (std::size_t c = 0; c < state.chunks.size(); ++c)
      state.states[c].row_ids.resize(static_cast<std::size_t>(state.chunks[c].num_rows));
  });
  agree(*layer.groups.all, fault);
  for (std::size_t c = 0; c < state.chunks.size(); ++c) {
    const ExpertChunk& chunk = state.chunks[c];
    const RowExchange exchange{.row_bytes = sizeof(std::int64_t),
                               .send = sent.data(),
                               .send_counts = chunk.send_counts,
                               .send_begins = chunk.send_begins,
                               .receive = received.data(),
                               .receive_counts = chunk.receive_counts,
                               .receive_begins = chunk.receive_begins};
    layer.groups.experts->all_to_all(exchange);
    times.all_to_all_bytes += bytes_to_others(*layer.groups.experts, exchange);
    reorder(chunk, layer.cpu, 1, received.data() + chunk.first_row, RowOrder::kByExpert,
            state.states[c].row_ids.data());
  }
}

}  // namespace

template <class T>
void rank_layer_forward(const RankLayer& layer, const StepContext& step,
                        const MoeWeights<T>& weights, std::span<const T> inputs,
                        std::span<T> outputs, RankLayerState<T>& state, PhaseTimes& times) {
  const MoeLayerSpec& spec = layer.spec;
  const RankGroups& groups = layer.groups;
  LocalFault fault;
  fault.guard([&] { route_and_permute(layer, step, weights, inputs, outputs, state, times); });
  std::vector<Buffer<T>*> sorted;
  ExpertTrip<T> trip{.groups = groups, .cpu = layer.cpu, .chunks = {}, .d_model = spec.d_model};
  add_time(times[Phase::kCounts], [&] {
    agree(*groups.all, fault);
    const std::int64_t num_local = spec.num_experts / groups.partition.expert;
    const auto sent = row_counts(state.plan);
    std::vector<std::int64_t> received(sent.size());
    all_to_all_counts(*groups.experts, num_local, sent, received);
    fault.guard([&] {
      state.chunks = make_chunks(groups.partition.expert, layer.num_chunks, sent, received);
      state.states.resize(state.chunks.size());
      for (ChunkState<T>& chunk : state.states) sorted.push_back(&chunk.sorted);
      trip.chunks = state.chunks;
      trip.rows = state.rows;
      trip.returned = state.returned;
      trip.sorted = sorted;
      prepare(trip, state.scratch);
    });
    exchange_row_ids(layer, step, state, fault, times);
    agree(*groups.all, fault);
  });
  const auto work = [&](std::size_t c, std::span<const T> rows) -> std::span<const T> {
    const ExpertChunk& chunk = state.chunks[c];
    ChunkState<T>& of_chunk = state.states[c];
    of_chunk.rows = rows;
    expert_ffn_forward<T>(chunk_shape(layer, chunk), chunk_dropout(layer, step, of_chunk.row_ids),
                          layer.cpu, {rows, chunk.offsets},
                          chunk_weights(layer, chunk, view_of(weights.experts)), of_chunk.experts);
    return of_chunk.experts.output;
  };
  run_trip<T>(trip, work, state.scratch, fault, times);
  add_time(times[Phase::kCounts], [&] { agree(*groups.all, fault); });
  add_time(times[Phase::kCombine], [&] {
    combine<T>(state.plan, layer.cpu, spec.d_model, state.routing.gates, state.returned, outputs);
  });
}

template void rank_layer_forward(const RankLayer&, const StepContext&, const MoeWeights<float>&,
                                 std::span<const float>, std::span<float>, RankLayerState<float>&,
                                 PhaseTimes&);
template void rank_layer_forward(const RankLayer&, const StepContext&, const MoeWeights<BFloat16>&,
                                 std::span<const BFloat16>, std::span<BFloat16>,
                                 RankLayerState<BFloat16>&, PhaseTimes&);

}  // namespace switchyard::kernels
