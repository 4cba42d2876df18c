#include "kernels/bench/gpu/grouped_batched.hpp"

namespace switchyard::kernels {

GroupedBatched::GroupedBatched(CudaBackend& cuda) : cuda_{cuda} {
  check_cublas(cublasCreate(&handle_), "cublasCreate");
  check_cublas(cublasSetStream(handle_, cuda.stream()), "cublasSetStream");
}

GroupedBatched::~GroupedBatched() {
  if (handle_ != nullptr) cublasDestroy(handle_);
}

void GroupedBatched::set(const std::vector<Problem>& problems) {
  for (auto* list : {&m_, &n_, &k_, &a_stride_, &b_stride_, &c_stride_}) list->clear();
  transpose_a_.clear();
  transpose_b_.clear();
  std::vector<const void*> a;
  std::vector<const void*> b;
  std::vector<void*> c;
  for (const Problem& problem : problems) {
    transpose_a_.push_back(problem.transpose_a);
    transpose_b_.push_back(problem.transpose_b);
    m_.push_back(problem.m);
    n_.push_back(problem.n);
    k_.push_back(problem.k);
    a_stride_.push_back(problem.a_stride);
    b_stride_.push_back(problem.b_stride);
    c_stride_.push_back(problem.c_stride);
    a.push_back(problem.a);
    b.push_back(problem.b);
    c.push_back(problem.c);
  }
  group_size_.assign(problems.size(), 1);
  alpha_.assign(problems.size(), 1.0F);
  beta_.assign(problems.size(), 0.0F);
  copy_to_device<const void*>(a, a_, cuda_.stream());
  copy_to_device<const void*>(b, b_, cuda_.stream());
  copy_to_device<void*>(c, c_, cuda_.stream());
}

void GroupedBatched::run() {
  check_cublas(cublasGemmGroupedBatchedEx(handle_, transpose_a_.data(), transpose_b_.data(),
                                          m_.data(), n_.data(), k_.data(), alpha_.data(), a_.data(),
                                          CUDA_R_16BF, a_stride_.data(), b_.data(), CUDA_R_16BF,
                                          b_stride_.data(), beta_.data(), c_.data(), CUDA_R_16BF,
                                          c_stride_.data(), static_cast<int>(group_size_.size()),
                                          group_size_.data(), CUBLAS_COMPUTE_32F),
               "cublasGemmGroupedBatchedEx");
}

}  // namespace switchyard::kernels
