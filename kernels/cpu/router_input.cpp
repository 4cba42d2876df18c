#include "kernels/cpu/router_input.hpp"

#include "kernels/cpu/parallel_for.hpp"
#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

/// Calls body(index, factor) for all numbers of (T, d_model).
template <class Body>
void for_each_factor(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                     std::size_t size, const Body& body) {
  const auto stream = random_stream(step, RandomUse::kJitter);
  const auto jitter = static_cast<float>(spec.router.jitter);
  const auto first = static_cast<std::uint64_t>(step.first_token * spec.d_model);
  const auto d = static_cast<std::size_t>(spec.d_model);
  parallel_for(cpu, static_cast<std::int64_t>(size / d), [&](std::int64_t token, int) {
    const std::size_t begin = static_cast<std::size_t>(token) * d;
    for (std::size_t i = begin; i < begin + d; ++i)
      body(i, jitter_factor(stream, first + i, jitter));
  });
}

}  // namespace

Buffer<float> stored_router(const MoeLayerSpec& spec, std::span<const float> router) {
  Buffer<float> result(router.size());
  for (std::size_t i = 0; i < router.size(); ++i) result[i] = stored_by_router(spec, router[i]);
  return result;
}

bool has_jitter(const MoeLayerSpec& spec, const StepContext& step) {
  return step.training && spec.router.jitter > 0.0;
}

template <class T>
Buffer<float> jittered(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                       std::span<const T> inputs) {
  Buffer<float> result(inputs.size());
  for_each_factor(spec, step, cpu, inputs.size(), [&](std::size_t i, float factor) {
    result[i] = stored_by_router(spec, to_float(inputs[i]) * factor);
  });
  return result;
}

void jitter_backward(const MoeLayerSpec& spec, const StepContext& step, const CpuBackend& cpu,
                     std::span<float> d_inputs) {
  for_each_factor(spec, step, cpu, d_inputs.size(),
                  [&](std::size_t i, float factor) { d_inputs[i] *= factor; });
}

template Buffer<float> jittered(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                                std::span<const float>);
template Buffer<float> jittered(const MoeLayerSpec&, const StepContext&, const CpuBackend&,
                                std::span<const BFloat16>);

}  // namespace switchyard::kernels
