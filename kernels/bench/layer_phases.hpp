#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cpu/moe_layer.hpp"

namespace switchyard::kernels {

struct BenchSpec {
  MoeLayerSpec layer;
  std::int64_t num_tokens = 2048;
  int num_threads = 1;
  int repeats = 9;
};

/// A phase of the layer: its name, its floating-point operations (0: not counted), what it does.
struct Phase {
  std::string name;
  double flop = 0.0;
  std::function<void()> run;
};

/// Everything that the phases read and write.
template <class T>
struct LayerArrays {
  MoeWeights<T> weights;
  Buffer<T> inputs;
  Buffer<T> outputs;
  Buffer<T> d_outputs;
  Buffer<T> d_inputs;
  LayerState<T> state;
  BackwardScratch<T> scratch;
  MoeGradients gradients;
};

/// Uniform numbers in (-1, 1).
template <class T>
[[nodiscard]] Buffer<T> random_numbers(std::size_t size, std::uint64_t stream);

/// Random weights and inputs, and one forward and backward pass, so that each phase has its inputs.
template <class T>
void fill(const BenchSpec& spec, const CpuBackend& cpu, LayerArrays<T>& arrays);

/// Forward, then backward, in order. The result refers to `arrays`.
template <class T>
[[nodiscard]] std::vector<Phase> layer_phases(const BenchSpec& spec, const CpuBackend& cpu,
                                              LayerArrays<T>& arrays);

}  // namespace switchyard::kernels
