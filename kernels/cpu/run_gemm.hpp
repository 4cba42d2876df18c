#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// The type that GemmTask has for T: float, or for BFloat16 its bits.
template <class T>
struct GemmNumber {
  using type = T;
};
template <>
struct GemmNumber<BFloat16> {
  using type = std::uint16_t;
};

template <class T>
[[nodiscard]] auto* gemm_numbers(T* numbers) {
  return reinterpret_cast<typename GemmNumber<T>::type*>(numbers);
}
template <class T>
[[nodiscard]] const auto* gemm_numbers(const T* numbers) {
  return reinterpret_cast<const typename GemmNumber<T>::type*>(numbers);
}

inline auto gemm_function(const GemmTask<float, float, float>*) { return isa_kernels().gemm; }
inline auto gemm_function(const GemmTask<std::uint16_t, std::uint16_t, std::uint16_t>*) {
  return isa_kernels().gemm_bfloat16;
}
inline auto gemm_function(const GemmTask<std::uint16_t, std::uint16_t, float>*) {
  return isa_kernels().gemm_bfloat16_to_float;
}
inline auto gemm_function(const GemmTask<std::uint16_t, float, float>*) {
  return isa_kernels().gemm_bfloat16_float;
}
inline auto gemm_function(const GemmTask<float, std::uint16_t, float>*) {
  return isa_kernels().gemm_float_bfloat16;
}

/// Runs products of any shape: cuts them into tasks, enough to keep all threads busy.
template <class A, class B, class C>
void run_gemms(const CpuBackend& cpu, const std::vector<GemmTask<A, B, C>>& products) {
  const auto num_blocks = [](std::int64_t size, std::int64_t block) {
    return (size + block - 1) / block;
  };
  std::int64_t column_block = kColumnBlock;
  for (; column_block > 32; column_block /= 2) {
    std::int64_t num_tasks = 0;
    for (const auto& product : products)
      num_tasks += num_blocks(product.rows, kTaskRows) * num_blocks(product.columns, column_block);
    if (num_tasks >= 4 * cpu.num_threads()) break;
  }
  std::vector<GemmTask<A, B, C>> tasks;
  for (const auto& product : products) {
    for (std::int64_t j = 0; j < product.columns; j += column_block)
      for (std::int64_t i = 0; i < product.rows; i += kTaskRows) {
        auto task = product;
        task.rows = std::min(kTaskRows, product.rows - i);
        task.columns = std::min(column_block, product.columns - j);
        task.a.data += i * product.a.row_stride;
        task.b.data += j * product.b.column_stride;
        task.c += i * product.c_stride + j;
        tasks.push_back(task);
      }
  }
  Buffer<float> scratch(static_cast<std::size_t>(kGemmScratch * cpu.num_threads()));
  const auto multiply = gemm_function(static_cast<const GemmTask<A, B, C>*>(nullptr));
  parallel_for(cpu, static_cast<std::int64_t>(tasks.size()), [&](std::int64_t i, int thread) {
    multiply(tasks[static_cast<std::size_t>(i)], scratch.data() + kGemmScratch * thread);
  });
}

}  // namespace switchyard::kernels
