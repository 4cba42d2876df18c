// The checks of ranks on a device, whose expectations are said in kernels/cuda/check, with the CUDA
// backend's host side as it is and a stand-in for the device.

#include <gtest/gtest.h>

#include "kernels/cuda/check/check.hpp"
#include "tests/kernels/stand_in/stream.hpp"

namespace switchyard::kernels {
namespace {

class StandInDevice : public testing::TestWithParam<CudaCheck> {};

TEST_P(StandInDevice, RunsRanksAsTheCpu) {
  const int copies = num_staged_copies();
  CudaBackend cuda;
  ASSERT_NO_THROW(GetParam().run(cuda));
  // Ranks over loopback: nothing goes from device to device by itself.
  EXPECT_GT(num_staged_copies(), copies);
}

INSTANTIATE_TEST_SUITE_P(Checks, StandInDevice, testing::ValuesIn([] {
                           auto checks = rank_checks();
                           // Its message is the device's own.
                           std::erase_if(checks,
                                         [](const auto& of) { return of.name == "ranks_fault"; });
                           return checks;
                         }()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace switchyard::kernels
