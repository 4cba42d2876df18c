#include "kernels/run/given_choices.hpp"

#include <algorithm>
#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

constexpr double kMargin = 0.5;
constexpr double kTarget = 0.6;  ///< beyond the margin, so that it is reached in finitely many
constexpr int kMostRounds = 5000;

/// Two experts whose logits are not yet in order.
struct Violation {
  std::size_t above = 0;
  std::size_t below = 0;
  double gap = kMargin;  ///< of their logits
};

Violation worst_violation(const std::vector<double>& logits,
                          std::span<const std::int16_t> experts) {
  Violation worst;
  const auto compare = [&](std::size_t above, std::size_t below) {
    const double gap = logits[above] - logits[below];
    if (gap < worst.gap) worst = {above, below, gap};
  };
  for (std::size_t j = 1; j < experts.size(); ++j)
    compare(static_cast<std::size_t>(experts[j - 1]), static_cast<std::size_t>(experts[j]));
  for (std::size_t e = 0; e < logits.size(); ++e)
    if (std::ranges::find(experts, static_cast<std::int16_t>(e)) == experts.end())
      compare(static_cast<std::size_t>(experts.back()), e);
  return worst;
}

[[noreturn]] void fail(const std::string& what) {
  throw KernelError{Fault::kSpec, "trace: " + what};
}

void require_token(const RunSpec& spec, std::uint64_t layer, std::int64_t token) {
  const auto experts = given_choices(spec, layer, token);
  const auto place = [&](std::size_t choice) {
    return "token " + std::to_string(token) + ", layer " + std::to_string(layer) + ", choice " +
           std::to_string(choice) + ": ";
  };
  for (std::size_t j = 0; j < experts.size(); ++j) {
    if (experts[j] < 0 || experts[j] >= spec.layer.num_experts)
      fail(place(j) + "expected expert 0 to " + std::to_string(spec.layer.num_experts - 1) +
           ", got " + std::to_string(experts[j]));
    if (std::ranges::find(experts.first(j), experts[j]) !=
        experts.begin() + static_cast<std::ptrdiff_t>(j))
      fail(place(j) + "expert " + std::to_string(experts[j]) + " is chosen twice");
  }
}

}  // namespace

int num_given_choices(const RunSpec& spec) {
  return spec.layer.router.second_choice == SecondChoice::kNever ? 1 : spec.layer.router.top_k;
}

std::span<const std::int16_t> given_choices(const RunSpec& spec, std::uint64_t layer,
                                            std::int64_t token) {
  const RoutingTrace& trace = *spec.choices;
  const auto recorded = static_cast<std::uint64_t>(token % num_tokens(trace));
  const auto num_layers = static_cast<std::uint64_t>(trace.num_layers);
  return std::span{trace.experts}.subspan(
      (recorded * num_layers + layer) * static_cast<std::uint64_t>(trace.top_k),
      static_cast<std::size_t>(num_given_choices(spec)));
}

void require_choices(const RunSpec& spec) {
  if (spec.choices == nullptr || num_tokens(*spec.choices) == 0) fail("expected recorded choices");
  const RoutingTrace& trace = *spec.choices;
  const SecondChoice second = spec.layer.router.second_choice;
  if (second == SecondChoice::kThreshold || second == SecondChoice::kRandom)
    fail("expected second_choice always or never: a trace has no gates");
  if (trace.num_layers < spec.layers)
    fail("expected at least " + std::to_string(spec.layers) + " layers, got " +
         std::to_string(trace.num_layers));
  if (trace.top_k < num_given_choices(spec))
    fail("expected at least " + std::to_string(num_given_choices(spec)) +
         " choices of a token, got " + std::to_string(trace.top_k));
  const std::int64_t all = std::min(num_tokens(trace), spec.tokens_per_rank * spec.partition.data);
  for (std::int64_t token = 0; token < all; ++token)
    for (int layer = 0; layer < spec.layers; ++layer)
      require_token(spec, static_cast<std::uint64_t>(layer), token);
}

TokenLeaning::TokenLeaning(const Buffer<float>& router, int d_model)
    : router_{router},
      d_model_{static_cast<std::size_t>(d_model)},
      num_experts_{router.size() / d_model_},
      products_(num_experts_ * num_experts_) {
  for (std::size_t a = 0; a < num_experts_; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double product = 0.0;
      for (std::size_t i = 0; i < d_model_; ++i)
        product += static_cast<double>(router[a * d_model_ + i]) *
                   static_cast<double>(router[b * d_model_ + i]);
      products_[a * num_experts_ + b] = products_[b * num_experts_ + a] = product;
    }
}

bool TokenLeaning::lean(std::span<const std::int16_t> experts, std::span<float> token) const {
  std::vector<double> logits(num_experts_, 0.0);
  for (std::size_t e = 0; e < num_experts_; ++e)
    for (std::size_t i = 0; i < d_model_; ++i)
      logits[e] += static_cast<double>(router_[e * d_model_ + i]) * static_cast<double>(token[i]);
  std::vector<double> added(num_experts_, 0.0);  // multiples of router rows
  for (int round = 0;; ++round) {
    const auto [above, below, gap] = worst_violation(logits, experts);
    if (gap >= kMargin) break;
    const double* of_above = products_.data() + above * num_experts_;
    const double* of_below = products_.data() + below * num_experts_;
    const double square = of_above[above] - 2.0 * of_above[below] + of_below[below];
    if (round == kMostRounds || square <= 0.0) return false;
    const double multiple = (kTarget - gap) / square;
    added[above] += multiple;
    added[below] -= multiple;
    for (std::size_t e = 0; e < num_experts_; ++e)
      logits[e] += multiple * (of_above[e] - of_below[e]);
  }
  for (std::size_t e = 0; e < num_experts_; ++e)
    if (added[e] != 0.0)
      for (std::size_t i = 0; i < d_model_; ++i)
        token[i] += static_cast<float>(added[e]) * router_[e * d_model_ + i];
  return true;
}

}  // namespace switchyard::kernels
