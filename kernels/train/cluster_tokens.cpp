#include "kernels/train/cluster_tokens.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

std::vector<float> uniform_numbers(std::size_t size, std::uint64_t stream) {
  std::vector<float> numbers(size);
  for (std::size_t i = 0; i < size; ++i) numbers[i] = 2.0F * uniform_at(stream, i) - 1.0F;
  return numbers;
}

/// Apart from the streams of layers.
constexpr std::uint64_t kCentres = ~std::uint64_t{0};
constexpr std::uint64_t kRules = kCentres - 1;
constexpr std::uint64_t kTokens = kCentres - 2;

}  // namespace

ClusterTokens::ClusterTokens(const ClusterSpec& spec, int d_model, std::uint64_t seed)
    : spec_{spec}, d_model_{static_cast<std::size_t>(d_model)}, seed_{seed} {
  const auto num_clusters = static_cast<std::size_t>(spec.num_clusters);
  centres_ = uniform_numbers(num_clusters * d_model_,
                             random_stream(seed, 0, kCentres, RandomUse::kInputs));
  for (float& x : centres_) x = x < 0.0F ? -1.0F : 1.0F;
  rules_ = uniform_numbers(static_cast<std::size_t>(spec.num_rules) *
                               static_cast<std::size_t>(spec.num_classes) * d_model_,
                           random_stream(seed, 0, kRules, RandomUse::kInputs));
  double sum = 0.0;
  for (std::size_t c = 0; c < num_clusters; ++c) {
    sum += std::pow(static_cast<double>(c + 1), -spec.popularity_exponent);
    cumulative_share_.push_back(sum);
  }
  for (double& share : cumulative_share_) share /= sum;
}

std::size_t ClusterTokens::cluster_of(float draw) const {
  const auto found = std::ranges::upper_bound(cumulative_share_, static_cast<double>(draw));
  return std::min(static_cast<std::size_t>(found - cumulative_share_.begin()),
                  cumulative_share_.size() - 1);
}

LabelledTokens ClusterTokens::draw(std::uint64_t step, std::int64_t first_token,
                                   std::int64_t num_tokens) const {
  const auto stream = random_stream(seed_, step, kTokens, RandomUse::kInputs);
  const auto num_classes = static_cast<std::size_t>(spec_.num_classes);
  const auto spread = static_cast<float>(spec_.spread);
  LabelledTokens tokens;
  tokens.numbers.resize(static_cast<std::size_t>(num_tokens) * d_model_);
  std::vector<float> noise(d_model_);
  for (std::int64_t t = 0; t < num_tokens; ++t) {
    // Its first number says which cluster, the others are the noise.
    const auto counter = static_cast<std::uint64_t>(first_token + t) * (d_model_ + 1);
    const std::size_t cluster = cluster_of(uniform_at(stream, counter));
    float* token = tokens.numbers.data() + static_cast<std::size_t>(t) * d_model_;
    for (std::size_t i = 0; i < d_model_; ++i) {
      noise[i] = 2.0F * uniform_at(stream, counter + 1 + i) - 1.0F;
      token[i] = centres_[cluster * d_model_ + i] + spread * noise[i];
    }
    const std::size_t rule = cluster % static_cast<std::size_t>(spec_.num_rules);
    int best = 0;
    float best_score = 0.0F;
    for (std::size_t k = 0; k < num_classes; ++k) {
      const float* weights = rules_.data() + (rule * num_classes + k) * d_model_;
      float score = 0.0F;
      for (std::size_t i = 0; i < d_model_; ++i) score += weights[i] * noise[i];
      if (k > 0 && score <= best_score) continue;
      best = static_cast<int>(k);
      best_score = score;
    }
    tokens.classes.push_back(best);
  }
  return tokens;
}

}  // namespace switchyard::kernels
