// What loopback does must work over MPI, too: run by mpirun, every rank a process that runs all
// tests. A rank that fails a test fails the run.
#include <gtest/gtest.h>

#include "kernels/comm/mpi_communicator.hpp"
#include "tests/kernels/comm_checks.hpp"
#include "tests/kernels/rank_checks.hpp"

namespace switchyard::kernels {
namespace {

Communicator* world = nullptr;

TEST(MpiCommunicator, DoesAllCollectives) { expect_all_collectives_work(*world); }

TEST(MpiCommunicator, HasTheResultsOfOneRankInEveryPartition) {
  expect_all_partitions_same_as_one_rank(*world);
}

TEST(MpiCommunicator, ReportsAFaultOfOneRankOnAll) { expect_a_fault_of_one_rank_on_all(*world); }

TEST(MpiCommunicator, IsInitialisedOnce) { EXPECT_THROW(make_mpi_world(), KernelError); }

}  // namespace
}  // namespace switchyard::kernels

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto world = switchyard::kernels::make_mpi_world();
  switchyard::kernels::world = world.get();
  return RUN_ALL_TESTS();
}
