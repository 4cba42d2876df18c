#include "sim/workload/routing/inclusion_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// Probabilities that 0, 1, ..., k - 1 experts have arrived, for each leading part of the experts.
class ArrivalCounts {
 public:
  ArrivalCounts(std::size_t num_experts, std::size_t k)
      : k_{k}, table_((num_experts + 1) * k, 0.0) {}

  [[nodiscard]] double* after(std::size_t num_experts) { return &table_[num_experts * k_]; }

  /// Adds to the first `num_experts` one that has arrived with probability `arrived`.
  void append(std::size_t num_experts, double arrived, double waits) {
    const double* before = after(num_experts);
    double* with = after(num_experts + 1);
    with[0] = before[0] * waits;
    for (std::size_t count = 1; count < k_; ++count)
      with[count] = before[count] * waits + before[count - 1] * arrived;
  }

 private:
  std::size_t k_;
  std::vector<double> table_;
};

/// The race at top_k 3 and above; all shares positive and more than top_k of them.
///
/// The probability that fewer than k of the *others* have arrived joins the counts of the experts
/// before e with those after e: sums of products of positive numbers, nothing cancels.
std::vector<double> integrate_race(std::span<const double> shares, std::size_t k) {
  // t = exp(s - exp(-s)) turns both ends into double exponential decay; in s the integrand is as
  // wide as a Gumbel density, for which steps of 1/16 leave errors below rounding.
  constexpr double kStep = 1.0 / 16.0;
  constexpr double kFirst = -3.75;  // t = exp(-46): nothing has arrived
  constexpr double kNegligible = 1e-17;

  const std::size_t n = shares.size();
  std::vector<double> result(n, 0.0);
  std::vector<double> waits(n);
  std::vector<double> arrived(n);
  ArrivalCounts before{n, k};
  before.after(0)[0] = 1.0;
  std::vector<double> behind(k);          // counts of the experts after e
  std::vector<double> at_most_behind(k);  // their sums
  bool done = false;
  for (int node = 0; !done; ++node) {
    const double s = kFirst + kStep * node;
    const double t = std::exp(s - std::exp(-s));
    const double weight = kStep * t * (1.0 + std::exp(-s));
    for (std::size_t e = 0; e < n; ++e) {
      waits[e] = std::exp(-shares[e] * t);
      arrived[e] = -std::expm1(-shares[e] * t);
      before.append(e, arrived[e], waits[e]);
    }
    std::ranges::fill(behind, 0.0);
    behind[0] = 1.0;
    done = s > 0.0;
    for (std::size_t e = n; e-- > 0;) {
      std::partial_sum(behind.begin(), behind.end(), at_most_behind.begin());
      const double* ahead = before.after(e);
      double fewer_than_k = 0.0;
      for (std::size_t count = 0; count < k; ++count)
        fewer_than_k += ahead[count] * at_most_behind[k - 1 - count];
      const double part = weight * shares[e] * waits[e] * fewer_than_k;
      result[e] += part;
      done = done && part <= kNegligible * result[e];
      for (std::size_t count = k - 1; count > 0; --count)
        behind[count] = behind[count] * waits[e] + behind[count - 1] * arrived[e];
      behind[0] *= waits[e];
    }
  }
  return result;
}

}  // namespace

std::vector<double> inclusion_probabilities(std::span<const double> popularity, int top_k) {
  std::vector<double> shares;  // those above 0
  for (const double share : popularity) {
    SWITCHYARD_CHECK(std::isfinite(share) && share >= 0.0, "share {}", share);
    if (share > 0.0) shares.push_back(share);
  }
  SWITCHYARD_CHECK(1 <= top_k && static_cast<std::size_t>(top_k) <= shares.size(),
                   "top_k {} of {} experts with a share", top_k, shares.size());
  const auto k = static_cast<std::size_t>(top_k);
  const auto [least, most] = std::ranges::minmax(shares);
  std::vector<double> chosen(shares.size());
  if (k == shares.size()) {
    std::ranges::fill(chosen, 1.0);
  } else if (k == 1) {
    chosen = shares;
  } else if (least == most) {
    std::ranges::fill(chosen, static_cast<double>(k) / static_cast<double>(shares.size()));
  } else if (k == 2) {
    double odds = 0.0;
    for (const double share : shares) odds += share / (1.0 - share);
    for (std::size_t e = 0; e < shares.size(); ++e)
      chosen[e] = shares[e] * (1.0 + odds - shares[e] / (1.0 - shares[e]));
  } else {
    chosen = integrate_race(shares, k);
  }

  std::vector<double> result(popularity.size(), 0.0);
  auto next = chosen.begin();
  for (std::size_t e = 0; e < popularity.size(); ++e)
    if (popularity[e] > 0.0) result[e] = *next++;
  return result;
}

}  // namespace switchyard
