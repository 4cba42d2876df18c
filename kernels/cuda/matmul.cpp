#include "kernels/cuda/matmul.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

struct DestroyLayout {
  void operator()(cublasLtMatrixLayoutOpaque_t* layout) const {
    cublasLtMatrixLayoutDestroy(layout);
  }
};
using Layout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, DestroyLayout>;

struct DestroyDescription {
  void operator()(cublasLtMatmulDescOpaque_t* description) const {
    cublasLtMatmulDescDestroy(description);
  }
};
using Description = std::unique_ptr<cublasLtMatmulDescOpaque_t, DestroyDescription>;

cudaDataType_t data_type(NumberType type) {
  return type == NumberType::kFloat ? CUDA_R_32F : CUDA_R_16BF;
}

/// cuBLAS thinks in columns: the transpose of a row-major matrix. So this is of (columns, rows).
Layout column_layout(NumberType type, std::int64_t rows, std::int64_t columns,
                     std::int64_t stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  check_cublas(
      cublasLtMatrixLayoutCreate(&layout, data_type(type), static_cast<std::uint64_t>(columns),
                                 static_cast<std::uint64_t>(rows), stride),
      "cublasLtMatrixLayoutCreate");
  return Layout{layout};
}

Layout operand_layout(NumberType type, const MatmulOperand& of, std::int64_t rows,
                      std::int64_t columns) {
  return of.transposed ? column_layout(type, columns, rows, of.row_stride)
                       : column_layout(type, rows, columns, of.row_stride);
}

Description description_of(const Matmul& product) {
  cublasLtMatmulDesc_t made = nullptr;
  check_cublas(cublasLtMatmulDescCreate(&made, CUBLAS_COMPUTE_32F, CUDA_R_32F),
               "cublasLtMatmulDescCreate");
  Description description{made};
  // c^T = b^T @ a^T: cuBLAS's first operand is b.
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, bool transposed) {
    const cublasOperation_t operation = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check_cublas(
        cublasLtMatmulDescSetAttribute(description.get(), attribute, &operation, sizeof operation),
        "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, product.b.transposed);
  set(CUBLASLT_MATMUL_DESC_TRANSB, product.a.transposed);
  return description;
}

/// Largest power of two up to 256 that divides the address.
std::uint32_t alignment_of(const void* address) {
  const auto bits = std::bit_cast<std::uintptr_t>(address) | 256U;
  return 1U << std::countr_zero(bits);
}

struct Problem {
  Description description;
  Layout a, b, c;
  std::size_t workspace_bytes;
};

cublasLtMatmulAlgo_t find_algorithm(const CudaBackend& cuda, const Matmul& product,
                                    const Problem& problem) {
  cublasLtMatmulPreference_t preference = nullptr;
  check_cublas(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    return cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value);
  };
  // Failing to set a preference only costs speed.
  static_cast<void>(set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, problem.workspace_bytes));
  static_cast<void>(set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(product.b.data)));
  static_cast<void>(set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(product.a.data)));
  static_cast<void>(set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(product.c)));
  static_cast<void>(set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(product.c)));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const auto status = cublasLtMatmulAlgoGetHeuristic(
      cuda.blas(), problem.description.get(), problem.b.get(), problem.a.get(), problem.c.get(),
      problem.c.get(), preference, 1, &found, &count);
  cublasLtMatmulPreferenceDestroy(preference);
  if (status != CUBLAS_STATUS_SUCCESS || count == 0)
    throw KernelError{Fault::kDevice,
                      "cuBLAS: no algorithm for a product of (" + std::to_string(product.m) + ", " +
                          std::to_string(product.k) + ") and (" + std::to_string(product.k) + ", " +
                          std::to_string(product.n) + "): " + cublasLtGetStatusName(status)};
  return found.algo;
}

CudaBackend::AlgorithmKey key_of(const Matmul& p) {
  return {p.m,
          p.n,
          p.k,
          p.a.row_stride,
          p.b.row_stride,
          p.c_stride,
          p.a.transposed,
          p.b.transposed,
          static_cast<int>(p.operand_type),
          static_cast<int>(p.c_type),
          alignment_of(p.a.data),
          alignment_of(p.b.data),
          alignment_of(p.c)};
}

void fill_with_zeros(const Matmul& product, cudaStream_t stream) {
  const std::size_t size = product.c_type == NumberType::kFloat ? sizeof(float) : sizeof(BFloat16);
  check_cuda(cudaMemset2DAsync(product.c, static_cast<std::size_t>(product.c_stride) * size, 0,
                               static_cast<std::size_t>(product.n) * size,
                               static_cast<std::size_t>(product.m), stream),
             "cudaMemset2D");
}

}  // namespace

void matmul(CudaBackend& cuda, const Matmul& product, int lane) {
  if (product.m == 0 || product.n == 0) return;
  const cudaStream_t stream = cuda.lane(lane);
  if (product.k == 0) return fill_with_zeros(product, stream);
  auto& workspace = cuda.workspace(lane);
  const Problem problem{.description = description_of(product),
                        .a = operand_layout(product.operand_type, product.a, product.m, product.k),
                        .b = operand_layout(product.operand_type, product.b, product.k, product.n),
                        .c = column_layout(product.c_type, product.m, product.n, product.c_stride),
                        .workspace_bytes = workspace.size()};
  const auto key = key_of(product);
  auto algorithm = cuda.algorithms.find(key);
  if (algorithm == cuda.algorithms.end())
    algorithm = cuda.algorithms.emplace(key, find_algorithm(cuda, product, problem)).first;
  const float one = 1.0F;
  const float zero = 0.0F;
  check_cublas(cublasLtMatmul(cuda.blas(), problem.description.get(), &one, product.b.data,
                              problem.b.get(), product.a.data, problem.a.get(), &zero, product.c,
                              problem.c.get(), product.c, problem.c.get(), &algorithm->second,
                              workspace.data(), workspace.size(), stream),
               "cublasLtMatmul");
}

}  // namespace switchyard::kernels
