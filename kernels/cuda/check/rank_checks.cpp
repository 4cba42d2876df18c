// The layer on ranks, computed on the device, against the same ranks on the CPU. Ranks are threads
// that share the devices.

#include <algorithm>

#include "kernels/comm/loopback.hpp"
#include "kernels/cuda/check/check.hpp"
#include "kernels/cuda/check/rank_run.hpp"
#include "kernels/run/run_experiment.hpp"

namespace switchyard::kernels {
namespace {

/// Relative Frobenius norms of differences: of two results each within the bounds of layer_checks
/// and of the CPU's tests, so their sums.
struct Tolerance {
  double values;
  double gradients;
  double router;
};
template <class T>
constexpr Tolerance kTolerance =
    std::is_same_v<T, float> ? Tolerance{2e-5, 2e-5, 2e-5} : Tolerance{2e-2, 1.2e-2, 2e-2};

template <class Number>
void require_close(const std::string& what, const Buffer<Number>& got,
                   const Buffer<Number>& expected, double tolerance) {
  require_error(what, frobenius_error(got, in_double(expected)), tolerance);
}

template <class T>
void compare(const RankCase& of) {
  run_loopback(of.partition.data * of.partition.tensor, [&](Communicator& all) {
    const auto in = rank_inputs<T>(of, place_of(of.partition, all.rank()));
    const auto expected = run_rank_on_cpu(of, in, all);
    const auto got = run_rank_on_device(of, in, all);
    const std::string of_rank = " of rank " + std::to_string(all.rank());
    require_that("another choice of experts" + of_rank,
                 have_same_bits(got.experts, expected.experts));
    const auto [values, gradients, router] = kTolerance<T>;
    require_close("outputs" + of_rank, got.outputs, expected.outputs, values);
    require_close("d_inputs" + of_rank, got.d_inputs, expected.d_inputs, values);
    require_close("d_w1" + of_rank, got.gradients.w1, expected.gradients.w1, gradients);
    require_close("d_w2" + of_rank, got.gradients.w2, expected.gradients.w2, gradients);
    require_close("d_router" + of_rank, got.gradients.router, expected.gradients.router, router);
    require_that("other bytes in all-to-alls" + of_rank,
                 got.times.all_to_all_bytes == expected.times.all_to_all_bytes);
    require_that(
        "other bytes in all-reduces" + of_rank,
        got.times.tensor_all_reduce_bytes == expected.times.tensor_all_reduce_bytes &&
            got.times.gradient_all_reduce_bytes == expected.times.gradient_all_reduce_bytes);
  });
}

/// Everything that may depend on ranks: second choices and dropout drawn at random, groups with
/// drops, a GLU, whose rows are interleaved on each of up to 4 tensor ranks.
MoeLayerSpec layer_of_ranks() {
  return {.d_model = 64,
          .d_ff = 64,
          .num_experts = 8,
          .activation = Activation::kSwiglu,
          .router = {.top_k = 2, .second_choice = SecondChoice::kRandom, .jitter = 0.1},
          .capacity = {.capacity_factor = 1.0, .group_tokens = 12},
          .expert_dropout = 0.1};
}

void add(std::vector<CudaCheck>& checks, const std::string& name, RankCase of) {
  of.spec.precision = Precision::kFloat32;
  checks.push_back({"ranks_" + name + "_float", false, [of](CudaBackend&) { compare<float>(of); }});
  of.spec.precision = Precision::kSelective;
  checks.push_back({"ranks_" + name + "_bfloat16", of.num_chunks > 1,
                    [of](CudaBackend&) { compare<BFloat16>(of); }});
}

/// The device's sums are the CPU's, bit for bit, in more than one slice.
template <class T>
void check_all_reduce(CudaBackend&) {
  run_loopback(3, [](Communicator& all) {
    const int device = all.rank() % num_cuda_devices();
    const auto ranks = make_device_communicator(all, device);
    CudaBackend cuda{device};
    auto numbers =
        uniform_numbers<T>((std::size_t{1} << 20) + 77, 5 + static_cast<std::uint64_t>(all.rank()));
    DeviceBuffer<T> on_device;
    copy_to_device<T>(numbers, on_device, cuda.stream());
    ReduceScratch<T> scratch;
    DeviceReduceScratch<T> device_scratch;
    prepare_all_reduce(all, numbers.size(), scratch);
    prepare_all_reduce(*ranks, numbers.size(), device_scratch);
    const auto bytes = all_reduce_sum<T>(all, numbers, scratch);
    require_that("other bytes", bytes == all_reduce_sum<T>(*ranks, on_device, device_scratch));
    require_that("other bits", have_same_bits(on_host(on_device, cuda.stream()), numbers));
  });
}

/// The first rank's NaN is the error of all, and a run without it works.
void check_fault(CudaBackend&) {
  RankCase of{.spec = {.d_model = 64, .d_ff = 32, .num_experts = 4}, .partition = {2, 1, 2}};
  of.spec.precision = Precision::kFloat32;
  run_loopback(2, [&](Communicator& all) {
    auto in = rank_inputs<float>(of, place_of(of.partition, all.rank()));
    const float right = in.inputs[64];
    if (all.rank() == 1) in.inputs[64] = std::numeric_limits<float>::quiet_NaN();
    try {
      static_cast<void>(run_rank_on_device(of, in, all));
    } catch (const KernelError& error) {
      const std::string expected =
          "rank 1: router: the logit of token 1 for expert 0 is not finite";
      require_that("another error: " + std::string{error.what()}, error.what() == expected);
      in.inputs[64] = right;
      static_cast<void>(run_rank_on_device(of, in, all));
      return;
    }
    throw CheckFailed{"no error for NaN"};
  });
}

/// run_experiment counts on the device what it counts on the CPU.
void check_run(CudaBackend&) {
  for (const NamedPartition& named : figure9_partitions(4)) {
    const RunSpec on_cpu{.layer = {.d_model = 64, .d_ff = 64, .num_experts = 8},
                         .tokens_per_rank = 256 / named.partition.data,
                         .layers = 2,
                         .partition = named.partition,
                         .steps = 2,
                         .warmup = 1,
                         .backend = BackendChoice::kCpu};
    RunSpec on_device = on_cpu;
    on_device.backend = BackendChoice::kCuda;
    run_loopback(4, [&](Communicator& all) {
      const auto expected = run_experiment(on_cpu, all);
      const auto got = run_experiment(on_device, all);
      require_that(named.name + ": ran on " + got.backend, got.backend == "cuda");
      require_that(named.name + ": other choices", got.expert_choices == expected.expert_choices);
      require_that(named.name + ": other rows", got.expert_rows == expected.expert_rows);
      require_error(named.name + ": aux_loss", std::fabs(got.aux_loss - expected.aux_loss),
                    1e-5 * expected.aux_loss);
    });
  }
}

}  // namespace

std::vector<CudaCheck> rank_checks() {
  std::vector<CudaCheck> checks{
      {"ranks_all_reduce_float", false, check_all_reduce<float>},
      {"ranks_all_reduce_bfloat16", false, check_all_reduce<BFloat16>},
      {"ranks_fault", false, check_fault},
  };
  auto partitions = figure9_partitions(4);
  partitions.push_back({"replicas", {4, 1, 2}});
  for (NamedPartition& named : partitions) {
    std::ranges::replace(named.name, '+', '_');
    for (const int num_chunks : {1, 3})
      add(checks, named.name + "_chunks" + std::to_string(num_chunks),
          {layer_of_ranks(), named.partition, num_chunks});
  }
  RankCase odd{layer_of_ranks(), {2, 2, 2}, 2};
  odd.spec.d_model = 37;
  odd.spec.d_ff = 22;
  add(checks, "odd_widths", odd);
  RankCase few{layer_of_ranks(), {4, 1, 4}, 2, 1};
  few.spec.capacity = {};
  add(checks, "few_tokens", few);
  few.rank_tokens = 0;
  add(checks, "no_tokens", few);
  checks.push_back({"ranks_run_experiment", false, check_run});
  return checks;
}

}  // namespace switchyard::kernels
