#include "kernels/run/layer_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

#include "kernels/layer/bfloat16.hpp"
#include "kernels/layer/counter_random.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/given_choices.hpp"

namespace switchyard::kernels {
namespace {

float uniform_around_zero(std::uint64_t stream, std::int64_t counter) {
  return 2.0F * uniform_at(stream, static_cast<std::uint64_t>(counter)) - 1.0F;
}

/// The top_k experts of the largest log popularity + Gumbel number: drawn without replacement.
/// Source: Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of
/// comparative judgment, and the double exponential distribution", J. Math. Psychology 15, 1977.
std::vector<std::size_t> popular_experts(const std::vector<double>& popularity,
                                         std::uint64_t stream, std::int64_t token, int top_k) {
  const auto num_experts = static_cast<std::int64_t>(popularity.size());
  std::vector<std::pair<double, std::size_t>> scores;
  for (std::int64_t e = 0; e < num_experts; ++e) {
    const double draw =
        uniform_at(stream, static_cast<std::uint64_t>(token * num_experts + e)) + 0x1p-25;
    const auto expert = static_cast<std::size_t>(e);
    scores.emplace_back(-std::log(popularity[expert]) + std::log(-std::log(draw)), expert);
  }
  std::ranges::partial_sort(scores, scores.begin() + top_k);
  std::vector<std::size_t> chosen;
  for (int j = 0; j < top_k; ++j) chosen.push_back(scores[static_cast<std::size_t>(j)].second);
  return chosen;
}

/// Adds to a token what raises its logit for an expert by `rise`.
void lean(std::vector<float>& token, const float* router_row, double rise) {
  double norm = 0.0;
  for (std::size_t i = 0; i < token.size(); ++i)
    norm += static_cast<double>(router_row[i]) * static_cast<double>(router_row[i]);
  const auto factor = static_cast<float>(rise / std::max(norm, 1e-30));
  for (std::size_t i = 0; i < token.size(); ++i) token[i] += factor * router_row[i];
}

}  // namespace

std::vector<double> drawn_popularity(const RunSpec& spec, std::uint64_t layer) {
  const auto stream = random_stream(spec.seed, 0, layer, RandomUse::kPopularity);
  std::vector<std::size_t> order(static_cast<std::size_t>(spec.layer.num_experts));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t e) { return uniform_at(stream, e); });
  std::vector<double> popularity(order.size());
  double sum = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank)
    sum += popularity[order[rank]] = std::pow(static_cast<double>(rank + 1), -spec.skew_exponent);
  for (double& share : popularity) share /= sum;
  return popularity;
}

template <class T>
Buffer<T> make_inputs(const RunSpec& spec, const StepContext& at, const Buffer<float>& router) {
  const std::int64_t d = spec.layer.d_model;
  const auto numbers = random_stream(spec.seed, 0, at.layer, RandomUse::kInputs);
  const auto choices = random_stream(spec.seed, 0, at.layer, RandomUse::kPopularChoice);
  const auto popularity = drawn_popularity(spec, at.layer);
  const int top_k = spec.layer.router.top_k;
  Buffer<T> inputs(static_cast<std::size_t>(spec.tokens_per_rank * d));
  std::vector<float> row(static_cast<std::size_t>(d));
  std::optional<TokenLeaning> leaning;
  if (spec.routing == InputRouting::kTrace) leaning.emplace(router, spec.layer.d_model);
  for (std::int64_t t = 0; t < spec.tokens_per_rank; ++t) {
    const std::int64_t token = at.first_token + t;
    for (std::int64_t i = 0; i < d; ++i)
      row[static_cast<std::size_t>(i)] = uniform_around_zero(numbers, token * d + i);
    if (spec.routing == InputRouting::kSkew) {
      double rise = 3.0 + 0.5 * top_k;
      for (const std::size_t e : popular_experts(popularity, choices, token, top_k))
        lean(row, router.data() + e * static_cast<std::size_t>(d), rise -= 0.5);
    }
    if (leaning && !leaning->lean(given_choices(spec, at.layer, token), row))
      throw KernelError{Fault::kSpec, "trace: token " + std::to_string(token) + ", layer " +
                                          std::to_string(at.layer) + ": no token of " +
                                          std::to_string(d) +
                                          " numbers was found for which the router chooses so"};
    std::ranges::transform(row, inputs.begin() + t * d, [](float x) { return from_float<T>(x); });
  }
  return inputs;
}

template <class T>
Buffer<T> make_output_gradients(const RunSpec& spec, const StepContext& at) {
  const std::int64_t d = spec.layer.d_model;
  const auto stream = random_stream(spec.seed, 0, at.layer, RandomUse::kOutputGradients);
  const float scale = 1.0F / static_cast<float>(std::max<std::int64_t>(1, at.batch_tokens));
  Buffer<T> gradients(static_cast<std::size_t>(spec.tokens_per_rank * d));
  for (std::size_t i = 0; i < gradients.size(); ++i)
    gradients[i] = from_float<T>(
        scale * uniform_around_zero(stream, at.first_token * d + static_cast<std::int64_t>(i)));
  return gradients;
}

template Buffer<float> make_inputs(const RunSpec&, const StepContext&, const Buffer<float>&);
template Buffer<BFloat16> make_inputs(const RunSpec&, const StepContext&, const Buffer<float>&);
template Buffer<float> make_output_gradients(const RunSpec&, const StepContext&);
template Buffer<BFloat16> make_output_gradients(const RunSpec&, const StepContext&);

}  // namespace switchyard::kernels
