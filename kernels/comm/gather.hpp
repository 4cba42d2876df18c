#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "kernels/comm/communicator.hpp"

namespace switchyard::kernels {

/// Numbers of all ranks, one rank after another; as many on each.
template <class T>
[[nodiscard]] std::vector<T> gathered(Communicator& ranks, std::span<const T> mine) {
  std::vector<T> all(mine.size() * static_cast<std::size_t>(ranks.num_ranks()));
  ranks.all_gather(std::as_bytes(mine), std::as_writable_bytes(std::span{all}));
  return all;
}

/// The sum over ranks, in their order, number by number.
template <class T>
[[nodiscard]] std::vector<T> sum_over_ranks(Communicator& ranks, std::span<const T> mine) {
  const auto all = gathered(ranks, mine);
  std::vector<T> sums(mine.size(), T{});
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % mine.size()] += all[i];
  return sums;
}

template <class T>
[[nodiscard]] std::vector<T> max_over_ranks(Communicator& ranks, std::span<const T> mine) {
  const auto all = gathered(ranks, mine);
  std::vector<T> largest(mine.begin(), mine.end());
  for (std::size_t i = 0; i < all.size(); ++i)
    largest[i % mine.size()] = std::max(largest[i % mine.size()], all[i]);
  return largest;
}

}  // namespace switchyard::kernels
