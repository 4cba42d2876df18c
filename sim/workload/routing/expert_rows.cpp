#include "sim/workload/routing/expert_rows.hpp"

#include <utility>

#include "sim/core/error.hpp"

namespace switchyard {

ExpertRows::ExpertRows(std::int64_t num_choices, int num_experts)
    : num_choices_{num_choices}, given_experts_{num_experts} {
  SWITCHYARD_CHECK(num_choices >= 1 && num_experts >= 0, "{} choices, {} experts", num_choices,
                   num_experts);
}

std::optional<std::string> ExpertRows::add(__int128 expert) {
  const int limit = given_experts_ > 0 ? given_experts_ : kMostTraceExperts;
  if (expert < -1 || expert >= limit)
    return fmt::format("expected an expert from 0 to {}, or -1 for no choice, got {}", limit - 1,
                       expert);
  if (expert >= 0) {
    const auto index = static_cast<std::size_t>(expert);
    if (index >= last_row_.size()) last_row_.resize(index + 1);
    if (std::exchange(last_row_[index], row_) == row_)
      return fmt::format("expert {} is chosen a second time by the same token in the same layer",
                         expert);
  }
  experts_.push_back(static_cast<std::int32_t>(expert));
  if (++choice_ == num_choices_) {
    choice_ = 0;
    ++row_;
  }
  return std::nullopt;
}

int ExpertRows::num_experts() const {
  return given_experts_ > 0 ? given_experts_ : static_cast<int>(last_row_.size());
}

}  // namespace switchyard
