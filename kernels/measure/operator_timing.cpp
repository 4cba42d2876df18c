#include "kernels/measure/operator_timing.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/all_reduce.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/ranks/rank_groups.hpp"
#include "kernels/run/run_backend.hpp"

namespace switchyard::kernels {
namespace {

struct ExchangeState {
  Buffer<std::byte> sent;
  Buffer<std::byte> received;
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> begins;
};

std::function<void()> make_all_to_all(std::int64_t bytes, Communicator& ranks) {
  constexpr std::int64_t kRowBytes = 64;
  const auto num_ranks = static_cast<std::size_t>(ranks.num_ranks());
  const std::int64_t rows = std::max<std::int64_t>(1, bytes / kRowBytes / ranks.num_ranks());
  auto state = std::make_shared<ExchangeState>();
  state->sent.resize(num_ranks * static_cast<std::size_t>(rows * kRowBytes));
  std::ranges::fill(state->sent, std::byte{1});
  state->received.resize(state->sent.size());
  state->counts.assign(num_ranks, rows);
  for (std::size_t r = 0; r < num_ranks; ++r)
    state->begins.push_back(static_cast<std::int64_t>(r) * rows);
  return [state, &ranks] {
    ranks.all_to_all({.row_bytes = kRowBytes,
                      .send = state->sent.data(),
                      .send_counts = state->counts,
                      .send_begins = state->begins,
                      .receive = state->received.data(),
                      .receive_counts = state->counts,
                      .receive_begins = state->begins});
  };
}

/// A layer on ranks, with what it borrows.
struct LayerOnRanks {
  LayerOnRanks(const RunSpec& run, Communicator& ranks)
      : spec{run}, backend{make_cpu_run_backend(ranks)}, groups{make_groups(run.partition, ranks)} {
    LocalFault fault;
    fault.guard([&] { layers = backend->make_layers(spec, groups); });
    agree(ranks, fault);
  }

  RunSpec spec;
  std::unique_ptr<RunBackend> backend;
  RankGroups groups;
  std::unique_ptr<RunLayers> layers = {};
};

}  // namespace

std::function<Sample()> timed(std::function<void()> work, Communicator& ranks, bool together) {
  return [work = std::move(work), &ranks, together] {
    if (together) ranks.barrier();
    double seconds = 0.0;
    add_time(seconds, work);
    return Sample{seconds, seconds};
  };
}

std::function<void()> make_collective(const OperatorPoint& point, Communicator& ranks) {
  const std::int64_t bytes = size_of(point, "bytes");
  using enum MeasuredOperator;
  if (point.op == kAllToAll) return make_all_to_all(bytes, ranks);
  if (point.op == kAllReduce) {
    struct State {
      Buffer<float> numbers;
      ReduceScratch<float> scratch;
    };
    auto state = std::make_shared<State>();
    // Sums of zeros stay zeros, however often.
    state->numbers.resize(static_cast<std::size_t>(bytes) / sizeof(float));
    std::ranges::fill(state->numbers, 0.0F);
    prepare_all_reduce(ranks, state->numbers.size(), state->scratch);
    return [state, &ranks] {
      static_cast<void>(all_reduce_sum<float>(ranks, state->numbers, state->scratch));
    };
  }
  if (point.op != kAllGather)
    throw KernelError{Fault::kSpec, std::string{operator_name(point.op)} + " is not a collective"};
  struct State {
    Buffer<std::byte> sent;
    Buffer<std::byte> received;
  };
  auto state = std::make_shared<State>();
  const auto num_ranks = static_cast<std::size_t>(ranks.num_ranks());
  state->sent.resize(static_cast<std::size_t>(bytes) / num_ranks);
  std::ranges::fill(state->sent, std::byte{1});
  state->received.resize(state->sent.size() * num_ranks);
  return [state, &ranks] { ranks.all_gather(state->sent, state->received); };
}

std::function<Sample()> make_layer(const OperatorPoint& point, Communicator& ranks) {
  const auto size = [&](std::string_view name) { return static_cast<int>(size_of(point, name)); };
  const RunSpec spec{
      .layer = {.d_model = size("d_model"),
                .d_ff = size("d_ff"),
                .num_experts = size("experts"),
                .activation = point.activation,
                .precision = point.is_bfloat16 ? Precision::kSelective : Precision::kFloat32,
                .router = {.top_k = size("choices")}},
      .tokens_per_rank = size_of(point, "tokens"),
      .partition = {.data = size("data"), .tensor = size("tensor"), .expert = size("expert")},
      .mode = RunMode::kForwardBackward,
      .threads = point.threads,
      .routing = point.skew > 0 ? InputRouting::kSkew : InputRouting::kLearned,
      .skew_exponent = point.skew > 0 ? point.skew : 1.0};
  validate(spec.layer);
  validate(spec.partition, spec.layer, ranks.num_ranks());
  const auto layer = std::make_shared<LayerOnRanks>(spec, ranks);
  return [layer] {
    const StepTimes times = layer->layers->step(0);
    return Sample{times.forward_s, times.step_s};
  };
}

}  // namespace switchyard::kernels
