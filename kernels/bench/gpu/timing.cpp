#include "kernels/bench/gpu/timing.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>
#include <vector>

namespace switchyard::kernels {
namespace {

struct DestroyGraph {
  void operator()(cudaGraphExec_t program) const { cudaGraphExecDestroy(program); }
};
using Program = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraph>;

struct DestroyEvent {
  void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;

Event make_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreate(&event), "cudaEventCreate");
  return Event{event};
}

Program capture(CudaBackend& cuda, const std::function<void()>& all_calls) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamBeginCapture(cuda.stream(), cudaStreamCaptureModeThreadLocal), "capture");
  try {
    all_calls();
  } catch (...) {
    cudaStreamEndCapture(cuda.stream(), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
    throw;
  }
  check_cuda(cudaStreamEndCapture(cuda.stream(), &graph), "capture");
  cudaGraphExec_t program = nullptr;
  const auto status = cudaGraphInstantiate(&program, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(status, "cudaGraphInstantiate");
  return Program{program};
}

double quantile(const std::vector<double>& sorted, double q) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(q * last + 0.5)];
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

CallTimes time_calls(CudaBackend& cuda, const TimingPlan& plan,
                     const std::function<void(int)>& call) {
  const auto all_calls = [&] {
    for (int i = 0; i < plan.calls; ++i) call(i);
  };
  all_calls();  // finds algorithms and allocates
  cuda.synchronize();
  const Program program = plan.as_graph ? capture(cuda, all_calls) : Program{};
  const auto launch = [&] {
    if (program == nullptr) return all_calls();
    check_cuda(cudaGraphLaunch(program.get(), cuda.stream()), "cudaGraphLaunch");
  };
  const auto warm_up = std::chrono::steady_clock::now();
  for (int i = 0; i < 2 || seconds_since(warm_up) < 0.025; ++i) {
    launch();
    cuda.synchronize();
  }

  const Event begin = make_event();
  const Event end = make_event();
  std::vector<double> times;
  const auto start = std::chrono::steady_clock::now();
  while (times.size() < kMinRepeats ||
         (times.size() < 200 && seconds_since(start) < plan.limit_s)) {
    check_cuda(cudaEventRecord(begin.get(), cuda.stream()), "cudaEventRecord");
    launch();
    check_cuda(cudaEventRecord(end.get(), cuda.stream()), "cudaEventRecord");
    check_cuda(cudaEventSynchronize(end.get()), "cudaEventSynchronize");
    float ms = 0.0F;
    check_cuda(cudaEventElapsedTime(&ms, begin.get(), end.get()), "cudaEventElapsedTime");
    times.push_back(static_cast<double>(ms) * 1e3 / plan.calls);
  }
  std::ranges::sort(times);
  return {.median_us = quantile(times, 0.5),
          .p10_us = quantile(times, 0.1),
          .p90_us = quantile(times, 0.9),
          .repeats = static_cast<int>(times.size()),
          .calls = plan.calls};
}

}  // namespace switchyard::kernels
