#include "kernels/comm/all_reduce.hpp"

#include <algorithm>
#include <vector>

#include "kernels/layer/bfloat16.hpp"

namespace switchyard::kernels {
namespace {

/// Numbers that are reduced at once: what each rank receives stays in its caches.
constexpr std::int64_t kSlice = std::int64_t{1} << 20;

/// The piece of a slice that each rank adds up.
struct Pieces {
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> begins;
};

Pieces cut(std::int64_t size, std::int64_t num_pieces) {
  Pieces pieces;
  for (std::int64_t i = 0; i < num_pieces; ++i) {
    pieces.begins.push_back(size * i / num_pieces);
    pieces.counts.push_back(size * (i + 1) / num_pieces - pieces.begins.back());
  }
  return pieces;
}

/// numbers (count) = the sum of the rows of received (n, count).
template <class T>
void add_up(const T* received, std::int64_t n, std::int64_t count, T* numbers) {
  constexpr std::int64_t kSums = 512;
  float sums[kSums];
  for (std::int64_t begin = 0; begin < count; begin += kSums) {
    const std::int64_t size = std::min(kSums, count - begin);
    for (std::int64_t i = 0; i < size; ++i) sums[i] = to_float(received[begin + i]);
    for (std::int64_t rank = 1; rank < n; ++rank) {
      const T* piece = received + rank * count + begin;
      for (std::int64_t i = 0; i < size; ++i) sums[i] += to_float(piece[i]);
    }
    for (std::int64_t i = 0; i < size; ++i) numbers[begin + i] = from_float<T>(sums[i]);
  }
}

template <class T>
std::int64_t reduce_slice(Communicator& ranks, std::span<T> numbers, T* received,
                          const AddPieces<T>& add) {
  const auto n = static_cast<std::int64_t>(ranks.num_ranks());
  const auto me = static_cast<std::size_t>(ranks.rank());
  const Pieces pieces = cut(std::ssize(numbers), n);
  const std::int64_t mine = pieces.counts[me];
  const std::vector<std::int64_t> my_counts(static_cast<std::size_t>(n), mine);
  const std::vector<std::int64_t> my_begins(static_cast<std::size_t>(n), pieces.begins[me]);
  std::vector<std::int64_t> row_begins;
  for (std::int64_t rank = 0; rank < n; ++rank) row_begins.push_back(rank * mine);
  const RowExchange scatter{.row_bytes = sizeof(T),
                            .send = numbers.data(),
                            .send_counts = pieces.counts,
                            .send_begins = pieces.begins,
                            .receive = received,
                            .receive_counts = my_counts,
                            .receive_begins = row_begins};
  ranks.all_to_all(scatter);
  T* sums = received + n * mine;
  add(received, n, mine, sums);
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(n), 0);
  const RowExchange gather{.row_bytes = sizeof(T),
                           .send = sums,
                           .send_counts = my_counts,
                           .send_begins = zeros,
                           .receive = numbers.data(),
                           .receive_counts = pieces.counts,
                           .receive_begins = pieces.begins};
  ranks.all_to_all(gather);
  return bytes_to_others(ranks, scatter) + bytes_to_others(ranks, gather);
}

}  // namespace

std::size_t num_piece_numbers(const Communicator& ranks, std::size_t size) {
  const auto n = static_cast<std::size_t>(ranks.num_ranks());
  if (n == 1) return 0;
  const std::size_t largest = std::min(static_cast<std::size_t>(kSlice), size);
  // n pieces and their sum, each rounded up.
  return (n + 1) * ((largest + n - 1) / n);
}

template <class T>
std::int64_t all_reduce_with(Communicator& ranks, std::span<T> numbers, std::span<T> pieces,
                             const AddPieces<T>& add) {
  if (ranks.num_ranks() == 1) return 0;
  std::int64_t bytes = 0;
  for (std::int64_t begin = 0; begin < std::ssize(numbers); begin += kSlice)
    bytes += reduce_slice(
        ranks,
        numbers.subspan(static_cast<std::size_t>(begin),
                        static_cast<std::size_t>(std::min(kSlice, std::ssize(numbers) - begin))),
        pieces.data(), add);
  return bytes;
}

template <class T>
void prepare_all_reduce(const Communicator& ranks, std::size_t size, ReduceScratch<T>& scratch) {
  if (ranks.num_ranks() > 1) scratch.pieces.resize(num_piece_numbers(ranks, size));
}

template <class T>
std::int64_t all_reduce_sum(Communicator& ranks, std::span<T> numbers, ReduceScratch<T>& scratch) {
  prepare_all_reduce(ranks, numbers.size(), scratch);
  return all_reduce_with<T>(ranks, numbers, scratch.pieces, add_up<T>);
}

template std::int64_t all_reduce_with(Communicator&, std::span<float>, std::span<float>,
                                      const AddPieces<float>&);
template std::int64_t all_reduce_with(Communicator&, std::span<BFloat16>, std::span<BFloat16>,
                                      const AddPieces<BFloat16>&);
template void prepare_all_reduce(const Communicator&, std::size_t, ReduceScratch<float>&);
template void prepare_all_reduce(const Communicator&, std::size_t, ReduceScratch<BFloat16>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<float>, ReduceScratch<float>&);
template std::int64_t all_reduce_sum(Communicator&, std::span<BFloat16>, ReduceScratch<BFloat16>&);

}  // namespace switchyard::kernels
