#include "kernels/measure/cuda/cuda_timing.hpp"

#include <utility>

#include "kernels/measure/calls_of_launch.hpp"
#include "kernels/ranks/phases.hpp"

namespace switchyard::kernels {
namespace {

/// A repeat with what it needs; shared, for std::function copies.
struct EventTimer {
  CudaBackend& cuda;
  CudaWork work;
  int calls = 1;
  GraphProgram program = {};
  DeviceEvent begin = make_event();
  DeviceEvent end = make_event();

  void queue_all() const {
    for (int i = 0; i < calls; ++i) work.queue();
  }

  [[nodiscard]] double repeat() const {
    record(begin, cuda);
    if (program != nullptr)
      launch(program, cuda);
    else
      queue_all();
    record(end, cuda);
    return seconds_between(begin, end) / calls;
  }
};

}  // namespace

DeviceEvent make_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreate(&event), "cudaEventCreate");
  return DeviceEvent{event};
}

void record(const DeviceEvent& event, CudaBackend& cuda) {
  check_cuda(cudaEventRecord(event.get(), cuda.stream()), "cudaEventRecord");
}

double seconds_between(const DeviceEvent& begin, const DeviceEvent& end) {
  check_cuda(cudaEventSynchronize(end.get()), "cudaEventSynchronize");
  float ms = 0.0F;
  check_cuda(cudaEventElapsedTime(&ms, begin.get(), end.get()), "cudaEventElapsedTime");
  return 1e-3 * static_cast<double>(ms);
}

GraphProgram captured(CudaBackend& cuda, const std::function<void()>& queue) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamBeginCapture(cuda.stream(), cudaStreamCaptureModeThreadLocal),
             "cudaStreamBeginCapture");
  try {
    queue();
  } catch (...) {
    cudaStreamEndCapture(cuda.stream(), &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
    throw;
  }
  check_cuda(cudaStreamEndCapture(cuda.stream(), &graph), "cudaStreamEndCapture");
  cudaGraphExec_t program = nullptr;
  const auto status = cudaGraphInstantiate(&program, graph, 0);
  cudaGraphDestroy(graph);
  check_cuda(status, "cudaGraphInstantiate");
  return GraphProgram{program};
}

void launch(const GraphProgram& program, CudaBackend& cuda) {
  check_cuda(cudaGraphLaunch(program.get(), cuda.stream()), "cudaGraphLaunch");
}

std::function<Sample()> timed_by_events(CudaBackend& cuda, CudaWork work, double cache_bytes) {
  work.queue();
  cuda.synchronize();
  const auto timer = std::make_shared<EventTimer>(EventTimer{cuda, std::move(work)});
  const LaunchDemand demand{.call_s = timer->repeat(),
                            .rotated_bytes = timer->work.rotated_bytes,
                            .cache_bytes = cache_bytes};
  timer->calls = calls_of_launch(demand);
  if (timer->work.as_graph) timer->program = captured(cuda, [&] { timer->queue_all(); });
  return [timer] {
    const double seconds = timer->repeat();
    return Sample{seconds, seconds};
  };
}

std::function<Sample()> timed_with_wait(CudaBackend& cuda, std::function<void()> queue) {
  return [&cuda, queue = std::move(queue)] {
    double seconds = 0.0;
    add_time(seconds, [&] {
      queue();
      cuda.synchronize();
    });
    return Sample{seconds, seconds};
  };
}

}  // namespace switchyard::kernels
