#pragma once

#include <cstdint>

#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

enum class NumberType { kFloat, kBFloat16 };

template <class T>
inline constexpr NumberType kNumberType = NumberType::kFloat;
template <>
inline constexpr NumberType kNumberType<BFloat16> = NumberType::kBFloat16;

/// A row-major matrix in device memory, `row_stride` numbers from row to row.
struct MatmulOperand {
  const void* data = nullptr;
  std::int64_t row_stride = 0;
  bool transposed = false;  ///< the product is with its transpose
};

/// c (m, n) = a (m, k) @ b (k, n) by cuBLASLt, sums in float; k 0 makes zeros. a and b are of one
/// type. Products of float are exact float products, not TF32.
struct Matmul {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  MatmulOperand a;
  MatmulOperand b;
  NumberType operand_type = NumberType::kBFloat16;
  void* c = nullptr;
  std::int64_t c_stride = 0;
  NumberType c_type = NumberType::kFloat;
};

/// Queues the product on a lane of the backend. The first product of a shape looks for an
/// algorithm, on the host.
void matmul(CudaBackend& cuda, const Matmul& product, int lane = 0);

}  // namespace switchyard::kernels
