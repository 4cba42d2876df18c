#include "kernels/layer/layer_spec.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {
namespace {

void require(bool condition, const std::string& field, double value, const std::string& expected) {
  if (condition) return;
  std::string number = std::to_string(value);
  if (value == std::floor(value) && std::fabs(value) < 0x1p53)
    number = std::to_string(static_cast<std::int64_t>(value));
  throw KernelError{Fault::kSpec, "layer: " + field + " is " + number + ", expected " + expected};
}

bool is_rate(double rate) { return rate >= 0.0 && rate < 1.0; }

bool is_weight(double weight) { return std::isfinite(weight) && weight >= 0.0; }

}  // namespace

void require_countable(const std::string& key, std::int64_t value,
                       std::initializer_list<std::int64_t> factors) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) {
    if (factor == 0) return;
    if (product > kMost / factor)
      throw KernelError{Fault::kSpec, key + " is " + std::to_string(value) +
                                          ", expected fewer: with the other sizes these are " +
                                          "more than 2^60 numbers"};
    product *= factor;
  }
}

void validate(const MoeLayerSpec& spec) {
  const RouterSpec& router = spec.router;
  const CapacitySpec& capacity = spec.capacity;
  require(spec.d_model >= 1, "d_model", spec.d_model, "at least 1");
  require(spec.d_ff >= 1, "d_ff", spec.d_ff, "at least 1");
  require(spec.num_experts >= 1, "num_experts", spec.num_experts, "at least 1");
  require_countable("layer: num_experts", spec.num_experts,
                    {spec.num_experts, 2, spec.d_ff, spec.d_model});
  require(router.top_k >= 1 && router.top_k <= spec.num_experts, "top_k", router.top_k,
          "1 to num_experts, " + std::to_string(spec.num_experts));
  require(router.second_choice == SecondChoice::kAlways || router.top_k == 2, "top_k", router.top_k,
          "2 with a second-choice policy");
  require(is_weight(router.second_threshold), "second_threshold", router.second_threshold,
          "a number not negative");
  require(is_rate(router.jitter), "jitter", router.jitter, "at least 0 and below 1");
  require(is_weight(router.aux_loss_weight), "aux_loss_weight", router.aux_loss_weight,
          "a number not negative");
  require(is_weight(router.z_loss_weight), "z_loss_weight", router.z_loss_weight,
          "a number not negative");
  const double factor = capacity.capacity_factor.value_or(1.0);
  require(std::isfinite(factor) && factor > 0.0, "capacity_factor", factor, "a positive number");
  require(capacity.minimum >= 0, "minimum", static_cast<double>(capacity.minimum), "at least 0");
  require(capacity.group_tokens >= 0, "group_tokens", static_cast<double>(capacity.group_tokens),
          "at least 0");
  require(is_rate(spec.expert_dropout), "expert_dropout", spec.expert_dropout,
          "at least 0 and below 1");
}

std::optional<std::int64_t> expert_capacity(const MoeLayerSpec& spec, std::int64_t group_tokens) {
  const CapacitySpec& capacity = spec.capacity;
  if (!capacity.capacity_factor) return std::nullopt;
  if (group_tokens == 0) return 0;
  const double factor = *capacity.capacity_factor * (capacity.times_top_k ? spec.router.top_k : 1);
  const double exact = static_cast<double>(group_tokens) * factor / spec.num_experts;
  const double rounded = capacity.rounding == CapacityRounding::kDown ? std::floor(exact)
                         : capacity.rounding == CapacityRounding::kUp ? std::ceil(exact)
                                                                      : std::nearbyint(exact);
  const auto slots = static_cast<std::int64_t>(std::min(rounded, 0x1p62));
  return std::max(std::min(group_tokens, slots), capacity.minimum);
}

TokenGroups token_groups(const MoeLayerSpec& spec, std::int64_t num_tokens) {
  if (num_tokens == 0) return {};
  const std::int64_t size = spec.capacity.group_tokens;
  if (size == 0 || size >= num_tokens) return {.num_groups = 1, .group_tokens = num_tokens};
  return {.num_groups = (num_tokens + size - 1) / size, .group_tokens = size};
}

}  // namespace switchyard::kernels
