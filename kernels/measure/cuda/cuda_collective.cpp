#include "kernels/measure/cuda/cuda_collective.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/device_all_reduce.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/measure/cuda/cuda_operator.hpp"

namespace switchyard::kernels {
namespace {

constexpr std::int64_t kRowBytes = 64;

struct ExchangeState {
  DeviceBuffer<float> sent;
  DeviceBuffer<float> received;
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> begins;
};

std::function<void()> make_all_to_all(std::int64_t bytes, CudaBackend& cuda, Communicator& ranks) {
  const std::int64_t num_ranks = ranks.num_ranks();
  const std::int64_t rows = std::max<std::int64_t>(1, bytes / kRowBytes / num_ranks);
  const auto state = std::make_shared<ExchangeState>();
  const std::int64_t numbers = num_ranks * rows * kRowBytes / std::int64_t{sizeof(float)};
  state->sent = device_numbers<float>(cuda, numbers, 1);
  state->received.resize(state->sent.size());
  state->counts.assign(static_cast<std::size_t>(num_ranks), rows);
  for (std::int64_t r = 0; r < num_ranks; ++r) state->begins.push_back(r * rows);
  cuda.synchronize();
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

struct ReduceState {
  DeviceBuffer<float> numbers;
  DeviceReduceScratch<float> scratch;
};

std::function<void()> make_all_reduce(std::int64_t bytes, CudaBackend& cuda, Communicator& ranks) {
  const auto state = std::make_shared<ReduceState>();
  state->numbers.resize(static_cast<std::size_t>(bytes) / sizeof(float));
  // Sums of zeros stay zeros, however often.
  check_cuda(cudaMemsetAsync(state->numbers.data(), 0, state->numbers.size() * sizeof(float),
                             cuda.stream()),
             "cudaMemsetAsync");
  prepare_all_reduce(ranks, state->numbers.size(), state->scratch);
  cuda.synchronize();
  return [state, &ranks] {
    static_cast<void>(all_reduce_sum<float>(ranks, state->numbers, state->scratch));
  };
}

}  // namespace

std::function<void()> make_cuda_collective(const OperatorPoint& point, CudaBackend& cuda,
                                           Communicator& ranks) {
  const std::int64_t bytes = size_of(point, "bytes");
  if (point.op == MeasuredOperator::kAllToAll) return make_all_to_all(bytes, cuda, ranks);
  if (point.op == MeasuredOperator::kAllReduce) return make_all_reduce(bytes, cuda, ranks);
  throw KernelError{Fault::kSpec,
                    std::string{operator_name(point.op)} + " of memory of GPUs is not measured"};
}

}  // namespace switchyard::kernels
