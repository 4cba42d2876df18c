#include "kernels/cpu/activation.hpp"

#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/cpu/run_gemm.hpp"
#include "kernels/cpu/shape_check.hpp"

namespace switchyard::kernels {
namespace {

const ActivationFunctions<float>& functions(const float*) { return isa_kernels().activations; }
const ActivationFunctions<std::uint16_t>& functions(const BFloat16*) {
  return isa_kernels().activations_bfloat16;
}

/// Calls body(hidden column, gate column, up column, count) for contiguous pieces of a row.
template <class Body>
void for_each_piece(const ExpertShape& shape, const Body& body) {
  const int step = shape.layout == GluLayout::kInterleaved8 ? 8 : shape.d_ff;
  if (!is_glu(shape.activation)) {
    body(0, 0, 0, shape.d_ff);
    return;
  }
  for (int j = 0; j < shape.d_ff; j += step)
    body(j, first_row(shape, j, false), first_row(shape, j, true), step);
}

}  // namespace

template <class T>
void activate(const ExpertShape& shape, const CpuBackend& cpu, std::span<const T> pre,
              std::span<T> hidden) {
  const std::int64_t num_rows = rows_of("hidden", hidden.size(), shape.d_ff);
  require_size("pre", pre.size(), num_rows, num_first_rows(shape));
  const auto forward =
      functions(static_cast<const T*>(nullptr)).forward[static_cast<int>(shape.activation)];
  parallel_for(cpu, num_rows, [&](std::int64_t r, int) {
    const auto* from = gemm_numbers(pre.data()) + r * num_first_rows(shape);
    auto* to = gemm_numbers(hidden.data()) + r * shape.d_ff;
    for_each_piece(shape, [&](int j, int gate, int up, int count) {
      forward({count, from + gate, from + up}, to + j);
    });
  });
}

template <class T>
void activate_backward(const ExpertShape& shape, const CpuBackend& cpu, std::span<const T> pre,
                       std::span<const T> d_hidden, std::span<T> d_pre) {
  const std::int64_t num_rows = rows_of("d_hidden", d_hidden.size(), shape.d_ff);
  require_size("pre", pre.size(), num_rows, num_first_rows(shape));
  require_size("d_pre", d_pre.size(), num_rows, num_first_rows(shape));
  const auto backward =
      functions(static_cast<const T*>(nullptr)).backward[static_cast<int>(shape.activation)];
  parallel_for(cpu, num_rows, [&](std::int64_t r, int) {
    const auto* from = gemm_numbers(pre.data()) + r * num_first_rows(shape);
    const auto* d = gemm_numbers(d_hidden.data()) + r * shape.d_ff;
    auto* to = gemm_numbers(d_pre.data()) + r * num_first_rows(shape);
    for_each_piece(shape, [&](int j, int gate, int up, int count) {
      backward({count, from + gate, from + up}, d + j, to + gate, to + up);
    });
  });
}

template void activate(const ExpertShape&, const CpuBackend&, std::span<const float>,
                       std::span<float>);
template void activate(const ExpertShape&, const CpuBackend&, std::span<const BFloat16>,
                       std::span<BFloat16>);
template void activate_backward(const ExpertShape&, const CpuBackend&, std::span<const float>,
                                std::span<const float>, std::span<float>);
template void activate_backward(const ExpertShape&, const CpuBackend&, std::span<const BFloat16>,
                                std::span<const BFloat16>, std::span<BFloat16>);

}  // namespace switchyard::kernels
