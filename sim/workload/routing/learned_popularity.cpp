#include "sim/workload/routing/learned_popularity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "sim/core/error.hpp"
#include "sim/core/random.hpp"
#include "sim/workload/routing/popularity.hpp"
#include "sim/workload/routing/routing_streams.hpp"

namespace switchyard {
namespace {

/// Below this a past draw no longer matters: its part of the variance is the square, 1e-24.
constexpr double kForgotten = 1e-12;

std::vector<double> drifted_normals(double correlation, std::size_t num_experts, int layer,
                                    const RoutingStream& stream) {
  std::vector<double> normals(num_experts, 0.0);
  double weight = 1.0;  // correlation^(stream.draw - draw)
  for (std::uint64_t draw = stream.draw;; --draw) {
    auto rng = stream_engine(stream.seed,
                             {kDriftStream, stream.stack, static_cast<std::uint64_t>(layer), draw});
    const double fresh = draw == 0 ? 1.0 : std::sqrt(1.0 - correlation * correlation);
    for (double& normal : normals) normal += weight * fresh * standard_normal(rng);
    weight *= correlation;
    if (draw == 0 || weight < kForgotten) return normals;
  }
}

}  // namespace

std::vector<double> balanced_logits(std::span<const double> logits,
                                    const BiasBalancing& balancing) {
  SWITCHYARD_CHECK(balancing.update > 0.0 && balancing.steps >= 0, "update {}, {} steps",
                   balancing.update, balancing.steps);
  // Every bias is a whole number of updates, so a repetition is exact.
  std::vector<int> bias(logits.size(), 0);
  std::vector<int> move(logits.size(), 0);
  const double largest = std::ranges::max(logits);
  const double up = std::exp(balancing.update);
  const double down = std::exp(-balancing.update);
  std::vector<double> weights(logits.size());
  const auto set_weights = [&] {
    for (std::size_t e = 0; e < logits.size(); ++e)
      weights[e] = std::exp(logits[e] - largest + bias[e] * balancing.update);
  };
  constexpr int kStepsBetweenExactWeights = 1024;  // products keep 12 digits over these
  for (int step = 0; step < balancing.steps; ++step) {
    if (step % kStepsBetweenExactWeights == 0) set_weights();
    const double mean =
        std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
    bool undoes_last = true;
    for (std::size_t e = 0; e < weights.size(); ++e) {
      const int next = weights[e] > mean ? -1 : weights[e] < mean ? 1 : 0;
      undoes_last = undoes_last && next == -move[e];
      move[e] = next;
      bias[e] += next;
      weights[e] *= next < 0 ? down : next > 0 ? up : 1.0;
    }
    // The biases are those of two steps ago: from here on they alternate.
    if (step > 0 && undoes_last) {
      if ((balancing.steps - 1 - step) % 2 == 1)
        for (std::size_t e = 0; e < bias.size(); ++e) bias[e] -= move[e];
      break;
    }
  }
  std::vector<double> balanced(logits.begin(), logits.end());
  for (std::size_t e = 0; e < balanced.size(); ++e) balanced[e] += bias[e] * balancing.update;
  return balanced;
}

std::vector<double> learned_shares(const LearnedRouter& spec, int num_experts, int layer,
                                   const RoutingStream& stream) {
  SWITCHYARD_CHECK(num_experts >= 1, "{} experts", num_experts);
  auto layer_rng = stream_engine(
      stream.seed, {kLayerSpreadStream, stream.stack, static_cast<std::uint64_t>(layer)});
  const double sigma =
      spec.lognormal_sigma * std::exp(spec.layer_spread * standard_normal(layer_rng));
  SWITCHYARD_CHECK(std::isfinite(sigma) && sigma >= 0.0, "sigma {}", sigma);
  const double correlation =
      spec.drift_steps > 0.0 ? std::exp(-spec.steps_between_draws / spec.drift_steps) : 0.0;
  std::vector<double> logits =
      drifted_normals(correlation, static_cast<std::size_t>(num_experts), layer, stream);
  for (double& logit : logits) logit *= sigma;
  if (spec.bias_balancing) logits = balanced_logits(logits, *spec.bias_balancing);
  return softmax(logits);
}

}  // namespace switchyard
