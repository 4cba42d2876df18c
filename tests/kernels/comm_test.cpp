#include <gtest/gtest.h>

#include <atomic>

#include "kernels/comm/exchange_queue.hpp"
#include "kernels/comm/loopback.hpp"
#include "tests/kernels/comm_checks.hpp"

namespace switchyard::kernels {
namespace {

TEST(SingleCommunicator, DoesAllCollectives) {
  expect_all_collectives_work(*make_single_communicator());
}

TEST(Loopback, DoesAllCollectives) {
  for (const int num_ranks : {1, 2, 3, 4, 7}) run_loopback(num_ranks, expect_all_collectives_work);
}

TEST(Loopback, ARankThatLeavesEndsTheWaitOfTheOthers) {
  std::atomic<int> num_told = 0;
  const auto body = [&](Communicator& all) {
    const auto part = all.split(all.rank() / 2);
    if (all.rank() == 2) throw KernelError{Fault::kDevice, "no device"};
    try {
      // Ranks 0 and 1 have a group of their own, but meet rank 2 in the next call.
      part->barrier();
      all.barrier();
    } catch (const KernelError& error) {
      EXPECT_EQ(error.fault(), Fault::kTransport);
      EXPECT_STREQ(error.what(), "rank 2 left: no device");
      ++num_told;
    }
  };
  try {
    run_loopback(4, body);
    FAIL() << "expected the error of rank 2";
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kDevice);
  }
  EXPECT_EQ(num_told, 3);
}

TEST(Loopback, FindsCountsThatDoNotFit) {
  const auto body = [](Communicator& all) {
    // Rank 0 expects 2 rows of 4 bytes of rank 1, which sends 1.
    const std::vector<std::int64_t> begins{0, 0}, none{0, 0}, one{1, 0}, two{0, 2};
    const std::int32_t sent = 1;
    std::int32_t received[2] = {};
    all.all_to_all({.row_bytes = 4,
                    .send = &sent,
                    .send_counts = all.rank() == 1 ? one : none,
                    .send_begins = begins,
                    .receive = received,
                    .receive_counts = all.rank() == 0 ? two : none,
                    .receive_begins = begins});
    all.barrier();
  };
  try {
    run_loopback(2, body);
    FAIL();
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kShape);
    EXPECT_STREQ(error.what(), "all_to_all: rank 0 expected 8 bytes of rank 1, got 4");
  }
}

TEST(ExchangeQueue, RunsInOrderAndStopsAtTheFirstError) {
  for (const auto runs : {ExchangeQueue::Runs::kBeside, ExchangeQueue::Runs::kAtOnce}) {
    ExchangeQueue queue{runs};
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) queue.submit([&order, i] { order.push_back(i); });
    queue.finish();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  }
  ExchangeQueue queue{ExchangeQueue::Runs::kBeside};
  bool ran = false;
  queue.submit([] { throw KernelError{Fault::kTransport, "broken"}; });
  queue.submit([&] { ran = true; });
  EXPECT_THROW(queue.finish(), KernelError);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace switchyard::kernels
