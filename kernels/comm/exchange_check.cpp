#include "kernels/comm/exchange_check.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

void check_exchange(const RowExchange& exchange, int num_ranks) {
  const auto check = [&](const char* name, std::span<const std::int64_t> numbers) {
    if (numbers.size() != static_cast<std::size_t>(num_ranks))
      throw KernelError{Fault::kShape, std::string{"all_to_all: "} + name + ": expected " +
                                           std::to_string(num_ranks) + " numbers, got " +
                                           std::to_string(numbers.size())};
    const auto wrong = std::ranges::find_if(numbers, [](std::int64_t x) { return x < 0; });
    if (wrong != numbers.end())
      throw KernelError{Fault::kShape, std::string{"all_to_all: "} + name + ": expected none " +
                                           "negative, got " + std::to_string(*wrong)};
  };
  check("send_counts", exchange.send_counts);
  check("send_begins", exchange.send_begins);
  check("receive_counts", exchange.receive_counts);
  check("receive_begins", exchange.receive_begins);
  if (exchange.row_bytes == 0)
    throw KernelError{Fault::kShape, "all_to_all: row_bytes: expected at least 1, got 0"};
}

void check_gather(std::span<const std::byte> sent, std::span<std::byte> received, int num_ranks) {
  if (received.size() == sent.size() * static_cast<std::size_t>(num_ranks)) return;
  throw KernelError{Fault::kShape, "all_gather: expected " + std::to_string(num_ranks) + " * " +
                                       std::to_string(sent.size()) + " bytes, got " +
                                       std::to_string(received.size())};
}

void copy_rows(const RowExchange& from, int from_rank, const RowExchange& to, int to_rank) {
  const auto target = static_cast<std::size_t>(to_rank);
  const auto source = static_cast<std::size_t>(from_rank);
  const auto sent = static_cast<std::size_t>(from.send_counts[target]) * from.row_bytes;
  const auto expected = static_cast<std::size_t>(to.receive_counts[source]) * to.row_bytes;
  if (sent != expected)
    throw KernelError{Fault::kShape, "all_to_all: rank " + std::to_string(to_rank) + " expected " +
                                         std::to_string(expected) + " bytes of rank " +
                                         std::to_string(from_rank) + ", got " +
                                         std::to_string(sent)};
  if (sent == 0) return;
  const auto begin = static_cast<std::size_t>(from.send_begins[target]) * from.row_bytes;
  const auto end = static_cast<std::size_t>(to.receive_begins[source]) * to.row_bytes;
  std::memcpy(static_cast<std::byte*>(to.receive) + end,
              static_cast<const std::byte*>(from.send) + begin, sent);
}

}  // namespace switchyard::kernels
