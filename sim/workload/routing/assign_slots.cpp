#include "sim/workload/routing/assign_slots.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::size_t slot_index(std::int32_t expert) { return static_cast<std::size_t>(expert + 1); }

}  // namespace

SlotAssigner::SlotAssigner(const SlotSpec& spec, int num_experts, int top_k, std::int64_t capacity)
    : spec_{spec}, top_k_{static_cast<std::size_t>(top_k)}, capacity_{capacity} {
  SWITCHYARD_CHECK(num_experts >= 1 && top_k >= 1 && capacity >= 0,
                   "{} experts, top_k {}, capacity {}", num_experts, top_k, capacity);
  taken_.resize(static_cast<std::size_t>(num_experts) + 1);
}

std::span<const std::int32_t> SlotAssigner::assign(const TokenChoices& choices) {
  const std::size_t num_tokens = choices.num_tokens();
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  SWITCHYARD_CHECK(columns >= top_k_, "{} columns, top_k {}", columns, top_k_);
  SWITCHYARD_CHECK(num_tokens * top_k_ < std::numeric_limits<std::int32_t>::max(),
                   "{} tokens with {} choices in one scope", num_tokens, top_k_);
  // A token chooses an expert at most once, so now there is a slot for everyone.
  if (capacity_ >= static_cast<std::int64_t>(num_tokens)) {
    if (columns == top_k_) return choices.experts;
    receivers_.resize(num_tokens * top_k_);
    for (std::size_t token = 0; token < num_tokens; ++token)
      std::copy_n(&choices.experts[token * columns], top_k_, &receivers_[token * top_k_]);
    return receivers_;
  }
  taken_[0] = static_cast<std::int32_t>(capacity_);
  receivers_.resize(num_tokens * top_k_);
  if (spec_.priority == SlotPriority::kGate) sort_by_gate(choices);
  offer_all(choices);
  if (spec_.reroute_attempts > 0 && columns > top_k_) reroute(choices);
  empty_slots();
  return receivers_;
}

void SlotAssigner::offer_all(const TokenChoices& choices) {
  const std::size_t num_tokens = choices.num_tokens();
  const std::size_t top_k = top_k_;
  // Plain pointers: through the members the compiler would have to load them for every choice. No
  // branch: whether there is a slot is hard to foretell.
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  const auto capacity = static_cast<std::int32_t>(capacity_);
  const std::int32_t* experts = choices.experts.data();
  std::int32_t* taken_by_expert = taken_.data() + 1;
  std::int32_t* receivers = receivers_.data();
  const auto offer = [=](std::size_t token, std::size_t choice) {
    const std::int32_t expert = experts[token * columns + choice];
    const std::int32_t taken = taken_by_expert[expert];
    const std::int32_t found = taken < capacity ? 1 : 0;
    taken_by_expert[expert] = taken + found;
    static_assert(kNoExpert == -1);
    receivers[token * top_k + choice] = expert | (found - 1);
  };
  switch (spec_.priority) {
    case SlotPriority::kChoiceMajor:
      for (std::size_t choice = 0; choice < top_k; ++choice)
        for (std::size_t token = 0; token < num_tokens; ++token) offer(token, choice);
      return;
    case SlotPriority::kTokenMajor:
      for (std::size_t token = 0; token < num_tokens; ++token)
        for (std::size_t choice = 0; choice < top_k; ++choice) offer(token, choice);
      return;
    case SlotPriority::kGate:
      std::ranges::fill(receivers_, kNoExpert);
      for (const std::uint64_t key : by_gate_) {
        const auto place = static_cast<std::uint32_t>(key);
        offer(place / top_k, place % top_k);
      }
      return;
  }
}

void SlotAssigner::sort_by_gate(const TokenChoices& choices) {
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  SWITCHYARD_CHECK(choices.gates.size() == choices.experts.size(), "{} gates of {} choices",
                   choices.gates.size(), choices.experts.size());
  by_gate_.clear();
  for (std::size_t place = 0; place < receivers_.size(); ++place) {
    const std::size_t at = place / top_k_ * columns + place % top_k_;
    if (choices.experts[at] == kNoExpert) continue;
    const float gate = choices.gates[at];
    SWITCHYARD_CHECK(gate >= 0.0F, "gate {}", gate);
    // The bits of numbers that are not negative are ordered as the numbers (+ 0 turns -0 into 0).
    const auto rank = ~std::bit_cast<std::uint32_t>(gate + 0.0F);
    by_gate_.push_back(std::uint64_t{rank} << 32 | place);
  }
  std::ranges::sort(by_gate_);
}

void SlotAssigner::list_waiting(const TokenChoices& choices) {
  const std::size_t num_tokens = choices.num_tokens();
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  waiting_.clear();
  const auto add_if_waiting = [&](std::size_t token, std::size_t choice) {
    const std::size_t place = token * top_k_ + choice;
    if (receivers_[place] == kNoExpert && choices.experts[token * columns + choice] != kNoExpert)
      waiting_.push_back(static_cast<std::uint32_t>(place));
  };
  switch (spec_.priority) {
    case SlotPriority::kChoiceMajor:
      for (std::size_t choice = 0; choice < top_k_; ++choice)
        for (std::size_t token = 0; token < num_tokens; ++token) add_if_waiting(token, choice);
      return;
    case SlotPriority::kTokenMajor:
      for (std::size_t token = 0; token < num_tokens; ++token)
        for (std::size_t choice = 0; choice < top_k_; ++choice) add_if_waiting(token, choice);
      return;
    case SlotPriority::kGate:
      for (const std::uint64_t key : by_gate_) {
        const auto place = static_cast<std::uint32_t>(key);
        add_if_waiting(place / top_k_, place % top_k_);
      }
      return;
  }
}

void SlotAssigner::reroute(const TokenChoices& choices) {
  const auto columns = static_cast<std::size_t>(choices.num_choices);
  const auto last_column = static_cast<std::int32_t>(
      std::min(columns, top_k_ + static_cast<std::size_t>(spec_.reroute_attempts)));
  list_waiting(choices);
  asked_.assign(choices.num_tokens(), static_cast<std::int32_t>(top_k_));
  for (int round = 0; round < spec_.reroute_attempts && !waiting_.empty(); ++round) {
    std::erase_if(waiting_, [&](std::uint32_t place) {
      const std::size_t token = place / top_k_;
      if (asked_[token] == last_column) return true;  // nobody left to ask
      const std::int32_t expert =
          choices.experts[token * columns + static_cast<std::size_t>(asked_[token]++)];
      std::int32_t& taken = taken_[slot_index(expert)];
      if (taken >= static_cast<std::int32_t>(capacity_)) return false;
      ++taken;
      receivers_[place] = expert;
      return true;
    });
  }
}

void SlotAssigner::empty_slots() {
  // Small scopes of many experts: only what was taken, where that is cheaper than all at once.
  if (receivers_.size() < taken_.size() / 8)
    for (const std::int32_t expert : receivers_) taken_[slot_index(expert)] = 0;
  else
    std::ranges::fill(taken_, 0);
}

std::vector<std::int32_t> assign_slots(const TokenChoices& choices, const SlotSpec& spec,
                                       int num_experts, int top_k, std::int64_t capacity) {
  SlotAssigner assigner{spec, num_experts, top_k, capacity};
  const auto receivers = assigner.assign(choices);
  return {receivers.begin(), receivers.end()};
}

}  // namespace switchyard
