#include "kernels/measure/cuda/gpu_bench.hpp"

#include <cstdio>
#include <utility>

#include "kernels/comm/nccl_communicator.hpp"
#include "kernels/cuda/grouped_tiles.hpp"
#include "kernels/cuda/matmul.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/choose_gpu_points.hpp"
#include "kernels/measure/cuda/check_cuda_kernels.hpp"
#include "kernels/measure/cuda/cuda_collective.hpp"
#include "kernels/measure/cuda/cuda_layer.hpp"
#include "kernels/measure/cuda/cuda_operator.hpp"
#include "kernels/measure/cuda/empty_kernel.hpp"
#include "kernels/measure/cuda/find_gpu.hpp"
#include "kernels/measure/machine.hpp"
#include "kernels/measure/operator_timing.hpp"
#include "kernels/measure/repeat_together.hpp"

namespace switchyard::kernels {
namespace {

std::string bus_of(int ordinal) {
  char text[32] = {};
  if (cudaDeviceGetPCIBusId(text, sizeof text, ordinal) == cudaSuccess) return text;
  static_cast<void>(cudaGetLastError());
  return "";
}

cudaDeviceProp properties_of(int ordinal) {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  return properties;
}

/// Numbers of a square product that takes a fifth of a millisecond on an H100.
constexpr std::int64_t kReferenceSide = 4096;

/// A product by cuBLASLt that is always the same, by events.
std::function<double()> reference_product(CudaBackend& cuda) {
  struct State {
    DeviceBuffer<BFloat16> a, b, c;
    DeviceEvent begin = make_event();
    DeviceEvent end = make_event();
  };
  constexpr std::int64_t kSide = kReferenceSide;
  const auto state = std::make_shared<State>();
  state->a = device_numbers<BFloat16>(cuda, kSide * kSide, 1);
  state->b = device_numbers<BFloat16>(cuda, kSide * kSide, 2);
  state->c.resize(static_cast<std::size_t>(kSide * kSide));
  return [state, &cuda] {
    record(state->begin, cuda);
    matmul(cuda, {.m = kSide,
                  .n = kSide,
                  .k = kSide,
                  .a = {state->a.data(), kSide},
                  .b = {state->b.data(), kSide, true},
                  .c = state->c.data(),
                  .c_stride = kSide,
                  .c_type = NumberType::kBFloat16});
    record(state->end, cuda);
    return seconds_between(state->begin, state->end);
  };
}

}  // namespace

GpuBench::GpuBench(const MeasurePlan& plan, Communicator* world)
    : world_{world},
      ordinal_{require_gpu(world == nullptr ? 0 : world->rank())},
      cuda_{ordinal_},
      nvml_{bus_of(ordinal_)},
      single_{make_single_communicator()} {
  memory_.cache_bytes = static_cast<double>(properties_of(ordinal_).l2CacheSize);
  const auto num_ranks = static_cast<std::size_t>(plan.ranks);
  reference_.best_s.assign(num_ranks, 1e30);
  reference_.of_ranks.assign(num_ranks, reference_product(cuda_));
  static_cast<void>(reference_.of_ranks.front()());  // finds its algorithm
}

PointsHead GpuBench::head(const std::string& software) const {
  const cudaDeviceProp properties = properties_of(ordinal_);
  int runtime = 0;
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  const GemmTile tile = cuda_.has_wgmma() ? GemmTile{128, 256} : GemmTile{128, 128};
  // In the order of the processor's head; what a GPU has more follows.
  PointsHead head = machine_head(software);
  for (auto& [key, value] : head) {
    if (key == "backend") value = "cuda";
    if (key == "device") value = cuda_.device().name;
    if (key == "software") {
      value = software.substr(0, software.find(',')) + ", CUDA " + std::to_string(runtime / 1000) +
              "." + std::to_string(runtime % 1000 / 10) +
              (cuda_.has_wgmma() ? ", wgmma" : ", cuBLASLt");
    }
    if (key == "last_level_cache_bytes") value = std::to_string(properties.l2CacheSize);
    if (key == "memory_bytes") value = std::to_string(properties.totalGlobalMem);
  }
  const auto started = std::prev(head.end());
  head.insert(started,
              {{"gpus", std::to_string(num_cuda_devices())},
               {"multiprocessors", std::to_string(cuda_.device().num_sms)},
               {"product_tile", std::to_string(tile.rows) + "x" + std::to_string(tile.columns)},
               {"driver", nvml_.driver_version()}});
  return head;
}

std::vector<FailedCheck> GpuBench::check() { return failed_cuda_checks(cuda_); }

std::vector<OperatorPoint> GpuBench::choose(const MeasurePlan& given) {
  MeasurePlan plan = given;
  if (world_ == nullptr) {
    const OperatorPoint copy{.op = MeasuredOperator::kCopy, .sizes = {256'000'000}};
    plan.bytes_per_s = rough_cost(copy).bytes / time(copy).second.median_s;
    constexpr auto kSide = static_cast<double>(kReferenceSide);
    plan.flop_per_s = 2.0 * kSide * kSide * kSide / reference_.of_ranks.front()();
  }
  return choose_gpu_points(plan);
}

std::string GpuBench::obstacle(const OperatorPoint& point) const {
  const double needed = gpu_bytes(point, memory_.cache_bytes);
  const double total = static_cast<double>(properties_of(ordinal_).totalGlobalMem);
  if (needed <= 0.95 * total) return "";
  char text[96];
  std::snprintf(text, sizeof text, "needs about %.1f GB, this GPU has %.1f GB", 1e-9 * needed,
                1e-9 * total);
  return text;
}

std::function<Sample()> GpuBench::make(const OperatorPoint& point) {
  if (is_layer(point.op)) return make_cuda_layer(point, cuda_);
  if (is_collective(point.op))
    return timed(make_cuda_collective(point, cuda_, ranks()), ranks(), true);
  if (point.op == MeasuredOperator::kSync)
    return timed_with_wait(cuda_, [this] { launch_empty_kernel(cuda_.stream()); });
  return timed_by_events(cuda_, make_cuda_operator(point, cuda_, memory_), memory_.cache_bytes);
}

bool GpuBench::is_usable() const {
  try {
    cuda_.synchronize();
    return true;
  } catch (const KernelError&) {
    return false;
  }
}

QuietSamples GpuBench::time(const OperatorPoint& point) {
  try {
    return take_samples(ranks(), reference_, make(point), RepeatSpec{});
  } catch (const KernelError& error) {
    if (error.fault() != Fault::kAllocation || world_ != nullptr) throw;
  }
  memory_.release();  // what rotated may leave enough
  return take_samples(ranks(), reference_, make(point), RepeatSpec{});
}

void GpuBench::repeat(const OperatorPoint& point,
                      const std::function<bool(double seconds)>& goes_on) {
  repeat_together(ranks(), make(point), goes_on);
}

std::unique_ptr<MeasureBackend> make_cuda_measure(const MeasurePlan& plan, Communicator* world) {
  return std::make_unique<GpuBench>(plan, world);
}

}  // namespace switchyard::kernels
