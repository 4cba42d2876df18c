#include "sim/planner/expert_chain.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using Experts = std::vector<std::size_t>;

void check(const ExpertChain& chain) {
  SWITCHYARD_CHECK(chain.shares.size() >= 3, "{} experts", chain.shares.size());
  for (const double share : chain.shares)
    SWITCHYARD_CHECK(std::isfinite(share) && share > 0.0, "share {}", share);
  SWITCHYARD_CHECK(chain.first_tilt >= -1.0 && chain.second_tilt >= -1.0, "tilts {} and {}",
                   chain.first_tilt, chain.second_tilt);
}

/// Probabilities of the next ordered pair after (first, second), at [next_first * E + next_second].
std::vector<double> next_pairs(const ExpertChain& chain, std::size_t first, std::size_t second) {
  std::vector<double> weights = chain.shares;
  weights[first] *= 1.0 + chain.first_tilt;
  weights[second] *= 1.0 + chain.second_tilt;
  double sum = 0.0;
  for (const double weight : weights) sum += weight;
  const std::size_t n = weights.size();
  std::vector<double> pairs(n * n, 0.0);
  for (std::size_t f = 0; f < n; ++f)
    for (std::size_t s = 0; s < n; ++s)
      if (f != s) pairs[f * n + s] = weights[f] / sum * weights[s] / (sum - weights[f]);
  return pairs;
}

/// One step of the chain over lists of experts.
struct Transition {
  std::size_t from;
  std::size_t to;
  double probability;
};

/// The distribution over `num_states` states that the transitions leave as it is.
std::vector<double> stationary(const std::vector<Transition>& transitions, std::size_t num_states) {
  constexpr double kClose = 1e-14;
  constexpr int kMostSteps = 100'000;
  std::vector<double> now(num_states, 1.0 / static_cast<double>(num_states));
  std::vector<double> next(num_states);
  for (int step = 0; step < kMostSteps; ++step) {
    std::ranges::fill(next, 0.0);
    for (const Transition& t : transitions) next[t.to] += now[t.from] * t.probability;
    double change = 0.0;
    for (std::size_t i = 0; i < num_states; ++i) change += std::abs(next[i] - now[i]);
    now.swap(next);
    if (change < kClose) break;
  }
  return now;
}

/// All lists of `length` different experts in lexicographic order; `index_of` finds one again.
class ExpertLists {
 public:
  ExpertLists(std::size_t num_experts, std::size_t length)
      : num_experts_{num_experts}, index_(static_cast<std::size_t>(std::pow(num_experts, length))) {
    Experts list;
    extend(list, length);
  }

  [[nodiscard]] const std::vector<Experts>& all() const { return lists_; }
  [[nodiscard]] std::size_t index_of(std::span<const std::size_t> list) const {
    return index_[code(list)];
  }

 private:
  void extend(Experts& list, std::size_t length) {
    if (list.size() == length) {
      index_[code(list)] = lists_.size();
      lists_.push_back(list);
      return;
    }
    for (std::size_t e = 0; e < num_experts_; ++e)
      if (std::ranges::find(list, e) == list.end()) {
        list.push_back(e);
        extend(list, length);
        list.pop_back();
      }
  }
  [[nodiscard]] std::size_t code(std::span<const std::size_t> list) const {
    std::size_t code = 0;
    for (const std::size_t e : list) code = code * num_experts_ + e;
    return code;
  }

  std::size_t num_experts_;
  std::vector<std::size_t> index_;
  std::vector<Experts> lists_;
};

/// The cache after the next pair: the pair, then those used most recently of the others. `cache`
/// is (first, second, then the others by recency).
Experts after(const Experts& cache, std::size_t first, std::size_t second) {
  Experts next{first, second};
  const auto keep = [&](std::size_t expert) {
    if (next.size() < cache.size() && expert != first && expert != second) next.push_back(expert);
  };
  keep(cache[1]);  // the second choice is the most recent
  keep(cache[0]);
  for (std::size_t i = 2; i < cache.size(); ++i) keep(cache[i]);
  return next;
}

}  // namespace

ChoiceRepeats choice_repeats(const ExpertChain& chain) {
  check(chain);
  const std::size_t n = chain.shares.size();
  const ExpertLists pairs{n, 2};
  std::vector<Transition> transitions;
  for (std::size_t from = 0; from < pairs.all().size(); ++from) {
    const std::vector<double> next = next_pairs(chain, pairs.all()[from][0], pairs.all()[from][1]);
    for (std::size_t to = 0; to < pairs.all().size(); ++to)
      transitions.push_back({.from = from,
                             .to = to,
                             .probability = next[pairs.all()[to][0] * n + pairs.all()[to][1]]});
  }
  const std::vector<double> share = stationary(transitions, pairs.all().size());
  ChoiceRepeats repeats;
  for (const Transition& t : transitions) {
    const Experts& before = pairs.all()[t.from];
    const Experts& now = pairs.all()[t.to];
    const double probability = share[t.from] * t.probability;
    if (now[0] == before[0]) repeats.first += probability;
    if (now[0] == before[0] || now[0] == before[1] || now[1] == before[0] || now[1] == before[1])
      repeats.first_or_second += probability;
  }
  return repeats;
}

double lru_hit_rate(const ExpertChain& chain, int cached_experts) {
  check(chain);
  SWITCHYARD_CHECK(2 <= cached_experts && cached_experts <= 4 &&
                       static_cast<std::size_t>(cached_experts) <= chain.shares.size(),
                   "{} cached experts", cached_experts);
  const std::size_t n = chain.shares.size();
  const ExpertLists caches{n, static_cast<std::size_t>(cached_experts)};
  std::vector<Transition> transitions;
  std::vector<int> hits;  // by transition
  for (std::size_t from = 0; from < caches.all().size(); ++from) {
    const Experts& cache = caches.all()[from];
    const auto is_cached = [&](std::size_t e) {
      return std::ranges::find(cache, e) != cache.end() ? 1 : 0;
    };
    const std::vector<double> next = next_pairs(chain, cache[0], cache[1]);
    for (std::size_t f = 0; f < n; ++f)
      for (std::size_t s = 0; s < n; ++s) {
        if (f == s) continue;
        transitions.push_back({.from = from,
                               .to = caches.index_of(after(cache, f, s)),
                               .probability = next[f * n + s]});
        hits.push_back(is_cached(f) + is_cached(s));
      }
  }
  const std::vector<double> share = stationary(transitions, caches.all().size());
  double rate = 0.0;
  for (std::size_t i = 0; i < transitions.size(); ++i)
    rate += share[transitions[i].from] * transitions[i].probability * hits[i] / 2.0;
  return rate;
}

}  // namespace switchyard
