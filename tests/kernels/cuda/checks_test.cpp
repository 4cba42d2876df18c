// The checks of kernels/cuda/check as tests; what they expect is said there.

#include <gtest/gtest.h>

#include <exception>

#include "kernels/cuda/check/check.hpp"

namespace switchyard::kernels {
namespace {

void run_all(const std::vector<CudaCheck>& checks) {
  if (num_cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
  CudaBackend cuda;
  for (const auto& check : checks) {
    try {
      check.run(cuda);
      cuda.synchronize();
    } catch (const std::exception& error) {
      ADD_FAILURE() << check.name << ": " << error.what();
    }
  }
}

TEST(Cuda, PlansAndPermutesAsTheCpu) { run_all(plan_checks()); }
TEST(Cuda, MultipliesByExpertsAsInDouble) { run_all(grouped_gemm_checks()); }
TEST(Cuda, ComputesTheLayerAsTheReference) { run_all(layer_checks()); }
TEST(Cuda, ReportsFaultsAndRunsInAGraph) { run_all(fault_checks()); }
TEST(Cuda, ComputesTheLayerOnRanksAsTheCpu) { run_all(rank_checks()); }

}  // namespace
}  // namespace switchyard::kernels
