#include "sim/workload/routing/expert_shares.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"

namespace switchyard {

ExpertShares::ExpertShares(std::vector<double> shares)
    : shares_{std::move(shares)},
      table_{shares_},
      ascending_(shares_.size()),
      place_(shares_.size()),
      below_(shares_.size() + 1, 0.0) {
  std::iota(ascending_.begin(), ascending_.end(), 0);
  std::ranges::stable_sort(ascending_, {}, [this](std::int32_t expert) { return weight(expert); });
  for (std::size_t i = 0; i < ascending_.size(); ++i) {
    place_[static_cast<std::size_t>(ascending_[i])] = static_cast<std::uint32_t>(i);
    below_[i + 1] = below_[i] + weight(ascending_[i]);
  }
  SWITCHYARD_CHECK(weight(ascending_.front()) >= 0.0 && std::abs(below_.back() - 1.0) < 1e-9,
                   "smallest share {}, sum {}", weight(ascending_.front()), below_.back());
}

void ExpertShares::draw_rows(std::span<std::int32_t> rows, std::size_t num_choices,
                             std::mt19937_64& rng) const {
  // All at once without a branch, then the few that repeat one of their row.
  table_.fill(rows, rng);
  for (std::size_t begin = 0; begin < rows.size(); begin += num_choices) {
    const auto row = rows.subspan(begin, num_choices);
    for (std::size_t j = 1; j < num_choices; ++j)
      if (contains(row.first(j), row[j])) row[j] = draw_other(row.first(j), rng);
  }
}

std::vector<ExpertShares::Gap> ExpertShares::gaps(std::span<const std::int32_t> taken) const {
  std::vector<std::size_t> places(taken.size());
  std::ranges::transform(taken, places.begin(), [this](std::int32_t expert) {
    return place_[static_cast<std::size_t>(expert)];
  });
  std::ranges::sort(places);
  std::vector<Gap> result;
  result.reserve(places.size() + 1);
  std::size_t begin = 0;
  for (const std::size_t place : places) {
    if (place > begin) result.push_back({begin, place});
    begin = place + 1;
  }
  if (begin < ascending_.size()) result.push_back({begin, ascending_.size()});
  return result;
}

double ExpertShares::rest(std::span<const std::int32_t> taken) const {
  double sum = 0.0;
  for (const Gap gap : gaps(taken)) sum += mass(gap);
  return sum;
}

std::int32_t ExpertShares::search_other(std::span<const std::int32_t> taken,
                                        std::mt19937_64& rng) const {
  const std::vector<Gap> left = gaps(taken);
  SWITCHYARD_CHECK(!left.empty(), "all {} experts are taken", shares_.size());
  double sum = 0.0;
  for (const Gap gap : left) sum += mass(gap);
  if (!(sum > 0.0)) {
    std::size_t skip = uniform_below(shares_.size() - taken.size(), rng);
    auto gap = left.begin();
    for (; skip >= gap->end - gap->begin; ++gap) skip -= gap->end - gap->begin;
    return ascending_[gap->begin + skip];
  }
  double target = sum * open_unit(rng);
  Gap found{};
  for (const Gap gap : left) {
    if (!(mass(gap) > 0.0)) continue;
    found = gap;
    if (target < mass(gap)) break;
    target -= mass(gap);
  }
  const auto begin = below_.begin() + static_cast<std::ptrdiff_t>(found.begin);
  const auto end = below_.begin() + static_cast<std::ptrdiff_t>(found.end);
  // Rounding may put the target past the end; the last of a gap is its largest.
  const auto above = std::upper_bound(begin + 1, end, *begin + target);
  return ascending_[static_cast<std::size_t>(above - below_.begin()) - 1];
}

}  // namespace switchyard
