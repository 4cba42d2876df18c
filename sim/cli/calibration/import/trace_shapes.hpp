#pragma once

#include <string>

#include "sim/cli/traces/gpu_trace.hpp"

namespace switchyard {

/// A traced operator as a point: what it is, or why it is none.
struct TracedShape {
  std::string name{};  ///< operator of points; empty: none
  std::string type{};
  std::string shape{};
  int ranks = 1;
  std::string reason{};  ///< where there is no name
};

/// Products by the shapes of their tensors (record_shapes):
///
///   aten::mm            (r, k) (k, n)              gemm rows=r n k
///   aten::addmm         bias (r, k) (k, n)         the same
///   aten::linear        (..., k) (n, k)            gemm of all leading sizes together
///   aten::bmm, baddbmm  (e, r, k) (e, k, n)        grouped_forward rows=e*r n k experts=e; gemm
///   where
///                                                  e is 1
///   aten::_grouped_mm   (r, k) (e, k, n)           grouped_forward rows=r n k experts=e
///                       (n, r) (r, k) (e)          grouped_weight_gradient, the same sizes
///
/// Rows of the experts of _grouped_mm are not recorded: they are taken to be even. float16 has as
/// many bytes as bfloat16 and is taken for it.
[[nodiscard]] TracedShape product_shape(const TracedOperator& op);

/// Collectives by elements and type: bytes of one rank's whole buffer.
[[nodiscard]] TracedShape collective_shape(const TracedCollective& collective);

/// Whether kernels of that name are NCCL's.
[[nodiscard]] bool is_nccl_kernel(const std::string& name);

}  // namespace switchyard
