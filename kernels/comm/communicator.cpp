#include "kernels/comm/communicator.hpp"

#include <vector>

namespace switchyard::kernels {

void all_to_all_counts(Communicator& ranks, std::int64_t count, std::span<const std::int64_t> sent,
                       std::span<std::int64_t> received) {
  const auto num_ranks = static_cast<std::size_t>(ranks.num_ranks());
  const std::vector<std::int64_t> ones(num_ranks, 1);
  std::vector<std::int64_t> begins(num_ranks);
  for (std::size_t i = 0; i < num_ranks; ++i) begins[i] = static_cast<std::int64_t>(i);
  ranks.all_to_all({.row_bytes = static_cast<std::size_t>(count) * sizeof(std::int64_t),
                    .send = sent.data(),
                    .send_counts = ones,
                    .send_begins = begins,
                    .receive = received.data(),
                    .receive_counts = ones,
                    .receive_begins = begins});
}

std::int64_t bytes_to_others(const Communicator& ranks, const RowExchange& exchange) {
  std::int64_t rows = 0;
  for (const std::int64_t count : exchange.send_counts) rows += count;
  rows -= exchange.send_counts[static_cast<std::size_t>(ranks.rank())];
  return rows * static_cast<std::int64_t>(exchange.row_bytes);
}

}  // namespace switchyard::kernels
