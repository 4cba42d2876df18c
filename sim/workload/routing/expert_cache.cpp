#include "sim/workload/routing/expert_cache.hpp"

#include <algorithm>

#include "sim/core/error.hpp"
#include "sim/workload/routing/decoded_sequence.hpp"

namespace switchyard {
namespace {

/// The experts of one layer that are in the cache.
struct Shelf {
  std::vector<std::int32_t> experts{};    ///< least recently used first
  std::vector<std::int64_t> last_used{};  ///< token, beside each
};

class Cache {
 public:
  Cache(const ExpertCacheSpec& spec, std::size_t num_layers)
      : policy_{spec.policy},
        capacity_{static_cast<std::size_t>(spec.experts_per_layer) *
                  (spec.policy == CachePolicy::kLru ? 1 : num_layers)},
        shelves_(num_layers) {}

  /// Looks up all experts of a token in a layer and loads what is not there.
  /// @returns how many were there
  std::int64_t use(std::int64_t token, std::size_t layer, std::span<const std::int32_t> chosen) {
    // The chosen are taken out and put back last, so that none leaves for another.
    std::int64_t hits = 0;
    Shelf& shelf = shelves_[layer];
    for (const std::int32_t expert : chosen) {
      const auto found = std::ranges::find(shelf.experts, expert);
      if (found == shelf.experts.end()) continue;
      ++hits;
      remove(shelf, found - shelf.experts.begin());
    }
    const std::size_t room = std::min(chosen.size(), capacity_);
    while (num_cached(layer) + room > capacity_) remove(victims(layer, token), 0);
    for (const std::int32_t expert : chosen.last(room)) {
      shelf.experts.push_back(expert);
      shelf.last_used.push_back(token);
      ++total_;
    }
    return hits;
  }

 private:
  [[nodiscard]] std::size_t num_cached(std::size_t layer) const {
    return policy_ == CachePolicy::kLru ? shelves_[layer].experts.size() : total_;
  }

  void remove(Shelf& shelf, std::ptrdiff_t place) {
    shelf.experts.erase(shelf.experts.begin() + place);
    shelf.last_used.erase(shelf.last_used.begin() + place);
    --total_;
  }

  /// The layer whose least recently used expert leaves.
  Shelf& victims(std::size_t layer, std::int64_t token) {
    if (policy_ == CachePolicy::kLru) return shelves_[layer];
    const auto has_stale = [&](const Shelf& shelf) {
      return !shelf.experts.empty() && shelf.last_used.front() < token;
    };
    for (std::size_t past = 0; past <= layer; ++past)
      if (has_stale(shelves_[past])) return shelves_[past];
    for (std::size_t next = shelves_.size(); next-- > layer + 1;)
      if (has_stale(shelves_[next])) return shelves_[next];
    return *std::ranges::find_if(shelves_, [](const Shelf& s) { return !s.experts.empty(); });
  }

  CachePolicy policy_;
  std::size_t capacity_;
  std::size_t total_ = 0;
  std::vector<Shelf> shelves_;  ///< by layer
};

/// The choices that the gate made, in order of preference.
void made_choices(const TokenChoices& choices, std::int64_t token, int num_experts,
                  std::vector<std::int32_t>& made) {
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  made.clear();
  for (std::size_t choice = 0; choice < columns; ++choice) {
    const std::int32_t expert = choices.experts[static_cast<std::size_t>(token) * columns + choice];
    SWITCHYARD_CHECK(expert < num_experts, "expert {} of {}", expert, num_experts);
    if (expert != kNoExpert) made.push_back(expert);
  }
}

double rate(std::int64_t hits, std::int64_t lookups) {
  return lookups == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(lookups);
}

}  // namespace

CacheStatistics expert_cache(std::span<const TokenChoices> layers, int num_experts,
                             const ExpertCacheSpec& cache) {
  SWITCHYARD_CHECK(cache.experts_per_layer >= 1 && !layers.empty(), "{} experts in {} layers",
                   cache.experts_per_layer, layers.size());
  const auto num_tokens = static_cast<std::int64_t>(layers.front().num_tokens());
  for (const TokenChoices& layer : layers)
    SWITCHYARD_CHECK(static_cast<std::int64_t>(layer.num_tokens()) == num_tokens,
                     "{} tokens in one layer, {} in another", num_tokens, layer.num_tokens());
  Cache cached{cache, layers.size()};
  std::vector<std::int64_t> hits(layers.size(), 0);
  std::vector<std::int64_t> lookups(layers.size(), 0);
  std::vector<std::int32_t> chosen;
  for (std::int64_t token = 0; token < num_tokens; ++token)
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      made_choices(layers[layer], token, num_experts, chosen);
      hits[layer] += cached.use(token, layer, chosen);
      lookups[layer] += static_cast<std::int64_t>(chosen.size());
    }

  CacheStatistics statistics;
  std::int64_t all_hits = 0;
  std::int64_t all_lookups = 0;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    statistics.hit_rate.push_back(rate(hits[layer], lookups[layer]));
    all_hits += hits[layer];
    all_lookups += lookups[layer];
  }
  statistics.mean_hit_rate = rate(all_hits, all_lookups);
  return statistics;
}

CacheStatistics expert_cache(const RoutingSpec& spec, int num_experts, int num_layers,
                             std::int64_t num_tokens, const RoutingStream& stream,
                             const ExpertCacheSpec& cache) {
  return expert_cache(decoded_sequence(spec, num_experts, num_layers, num_tokens, stream),
                      num_experts, cache);
}

}  // namespace switchyard
