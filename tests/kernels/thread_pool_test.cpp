#include "kernels/cpu/thread_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/cpu/parallel_for.hpp"
#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

TEST(ThreadPool, CallsEachIndexOnceInEveryRun) {
  const CpuBackend cpu{4};
  for (const std::int64_t count : {0, 1, 3, 1000, 5000}) {
    std::vector<int> calls(static_cast<std::size_t>(count));
    std::vector<int> threads(static_cast<std::size_t>(count));
    for (int run = 0; run < 20; ++run)
      parallel_for(cpu, count, [&](std::int64_t i, int thread) {
        ++calls[static_cast<std::size_t>(i)];
        threads[static_cast<std::size_t>(i)] = thread;
      });
    EXPECT_THAT(calls, testing::Each(20));
    EXPECT_THAT(threads, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(4))));
  }
}

TEST(ThreadPool, ServesCallersByTurns) {
  const CpuBackend cpu{3};
  std::vector<std::vector<int>> calls(4, std::vector<int>(500));
  std::vector<std::thread> callers;
  for (auto& of_caller : calls)
    callers.emplace_back([&cpu, &of_caller] {
      for (int run = 0; run < 50; ++run)
        parallel_for(cpu, 500,
                     [&](std::int64_t i, int) { ++of_caller[static_cast<std::size_t>(i)]; });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_THAT(calls, testing::Each(testing::Each(50)));
}

TEST(CpuBackend, RejectsFewerThanOneThread) {
  try {
    const CpuBackend cpu{0};
    FAIL();
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kSpec);
    EXPECT_STREQ(error.what(), "cpu: num_threads is 0, expected at least 1");
  }
}

}  // namespace
}  // namespace switchyard::kernels
