#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/comm/agreement.hpp"
#include "kernels/comm/all_reduce.hpp"
#include "kernels/comm/communicator.hpp"
#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {

/// Rank r sends to rank q a row of r + 2 q numbers... counts differ for every pair.
inline void expect_rows_arrive(Communicator& all) {
  const auto n = static_cast<std::size_t>(all.num_ranks());
  const auto me = static_cast<std::size_t>(all.rank());
  const auto count = [](std::size_t from, std::size_t to) {
    return static_cast<std::int64_t>(from + 2 * to);
  };
  // A row of two numbers that name sender, target and place.
  const auto value = [](std::size_t from, std::size_t to, std::int64_t row) {
    return static_cast<std::int32_t>(from * 10000 + to * 100 + static_cast<std::size_t>(row));
  };
  std::vector<std::int64_t> send_counts(n), send_begins(n), receive_counts(n), receive_begins(n);
  std::vector<std::int32_t> sent;
  std::int64_t num_received = 0;
  for (std::size_t other = 0; other < n; ++other) {
    send_begins[other] = std::ssize(sent) / 2;
    send_counts[other] = count(me, other);
    for (std::int64_t row = 0; row < send_counts[other]; ++row)
      sent.insert(sent.end(), 2, value(me, other, row));
    receive_begins[other] = num_received;
    receive_counts[other] = count(other, me);
    num_received += receive_counts[other];
  }
  std::vector<std::int32_t> received(static_cast<std::size_t>(2 * num_received), -1);
  const RowExchange exchange{.row_bytes = 8,
                             .send = sent.data(),
                             .send_counts = send_counts,
                             .send_begins = send_begins,
                             .receive = received.data(),
                             .receive_counts = receive_counts,
                             .receive_begins = receive_begins};
  all.all_to_all(exchange);
  for (std::size_t other = 0; other < n; ++other)
    for (std::int64_t row = 0; row < receive_counts[other]; ++row)
      for (const std::int64_t column : {0, 1})
        EXPECT_EQ(received[static_cast<std::size_t>(2 * (receive_begins[other] + row) + column)],
                  value(other, me, row));
  EXPECT_EQ(bytes_to_others(all, exchange),
            8 * (std::accumulate(send_counts.begin(), send_counts.end(), std::int64_t{0}) -
                 send_counts[me]));
}

inline void expect_counts_arrive(Communicator& all) {
  const auto n = static_cast<std::int64_t>(all.num_ranks());
  std::vector<std::int64_t> sent, received(static_cast<std::size_t>(2 * n), -1);
  for (std::int64_t other = 0; other < n; ++other)
    sent.insert(sent.end(), {all.rank() * 10 + other, -other});
  all_to_all_counts(all, 2, sent, received);
  for (std::int64_t other = 0; other < n; ++other) {
    EXPECT_EQ(received[static_cast<std::size_t>(2 * other)], other * 10 + all.rank());
    EXPECT_EQ(received[static_cast<std::size_t>(2 * other + 1)], -all.rank());
  }
}

/// Rank r brings 2^24 where r = 0, else 1. In float 2^24 + 1 is 2^24, so that adding the ranks in
/// order leaves 2^24, while 1 + 1 + 1 + 2^24 in another order would not.
template <class T>
void expect_sum_in_order_of_ranks(Communicator& all, std::size_t size) {
  Buffer<T> numbers(size);
  for (T& x : numbers) x = from_float<T>(all.rank() == 0 ? 0x1p24F : 1.0F);
  ReduceScratch<T> scratch;
  all_reduce_sum<T>(all, numbers, scratch);
  for (const T x : numbers) ASSERT_EQ(to_float(x), 0x1p24F);
  for (std::size_t i = 0; i < size; ++i)
    numbers[i] = from_float<T>(static_cast<float>(i % 7 + static_cast<std::size_t>(all.rank())));
  all_reduce_sum<T>(all, numbers, scratch);
  const int n = all.num_ranks();
  for (std::size_t i = 0; i < size; ++i)  // n (i mod 7) + 0 + 1 + ... + n - 1
    ASSERT_EQ(to_float(numbers[i]),
              static_cast<float>(n * static_cast<int>(i % 7) + n * (n - 1) / 2));
}

/// Odd and even ranks, each group apart, in the order of their ranks.
inline void expect_split_by_colour(Communicator& all) {
  const auto part = all.split(all.rank() % 2);
  EXPECT_EQ(part->num_ranks(), (all.num_ranks() + 1 - all.rank() % 2) / 2);
  EXPECT_EQ(part->rank(), all.rank() / 2);
  std::vector<int> ranks(static_cast<std::size_t>(part->num_ranks()));
  const int mine = all.rank();
  part->all_gather(std::as_bytes(std::span{&mine, 1}), std::as_writable_bytes(std::span{ranks}));
  for (std::size_t i = 0; i < ranks.size(); ++i)
    EXPECT_EQ(ranks[i], static_cast<int>(2 * i) + all.rank() % 2);
}

/// The last rank's memory is refused: all ranks say so.
inline void expect_agreement(Communicator& all) {
  LocalFault well;
  agree(all, well);
  LocalFault fault;
  const int last = all.num_ranks() - 1;
  fault.guard([&] {
    if (all.rank() == last) Buffer<float> too_large(std::size_t{1} << 60);
  });
  EXPECT_EQ(fault.happened(), all.rank() == last);
  try {
    agree(all, fault);
    ADD_FAILURE() << "expected a fault";
  } catch (const KernelError& error) {
    EXPECT_EQ(error.fault(), Fault::kAllocation);
    EXPECT_EQ(error.what(),
              "rank " + std::to_string(last) + ": cannot allocate 1152921504606846976 * 4 bytes");
  }
}

inline void expect_all_collectives_work(Communicator& all) {
  expect_rows_arrive(all);
  expect_counts_arrive(all);
  // 1 number for many ranks, and more than one slice of 2^20.
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, (std::size_t{1} << 20) + 5})
    expect_sum_in_order_of_ranks<float>(all, size);
  expect_sum_in_order_of_ranks<BFloat16>(all, 1000);
  expect_split_by_colour(all);
  expect_agreement(all);
  all.barrier();
}

}  // namespace switchyard::kernels
