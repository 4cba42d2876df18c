#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace switchyard {

/// Items by date; those of one date in the order in which they came.
///
/// Items that come one after the other with equal dates, as in lockstep, share an entry of the
/// heap: O(1) for each then, else O(log entries).
template <class Item>
class EventQueue {
 public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }

  /// The earliest. Precondition: not empty.
  [[nodiscard]] double next_date() const { return heap_.front().date; }

  /// Whether an item of the earliest entry satisfies `predicate`. Precondition: not empty.
  template <class Predicate>
  [[nodiscard]] bool any_of_next(const Predicate& predicate) const {
    return std::ranges::any_of(items_[heap_.front().slot], predicate);
  }

  /// Number of items.
  [[nodiscard]] std::size_t size() const { return size_; }

  void push(double date, Item item) {
    ++size_;
    if (is_last_open_ && last_date_ == date) {
      items_[last_slot_].push_back(item);
      return;
    }
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(items_.size()));
      items_.emplace_back();
    }
    last_slot_ = free_.back();
    free_.pop_back();
    last_date_ = date;
    is_last_open_ = true;
    items_[last_slot_].push_back(item);
    heap_.push_back({date, sequence_++, last_slot_});
    std::ranges::push_heap(heap_, std::greater<>{});
  }

  /// Moves the items of the earliest entry behind those in `items`.
  void pop(std::vector<Item>& items) {
    const std::uint32_t slot = heap_.front().slot;
    std::ranges::pop_heap(heap_, std::greater<>{});
    heap_.pop_back();
    if (slot == last_slot_) is_last_open_ = false;
    size_ -= items_[slot].size();
    items.insert(items.end(), items_[slot].begin(), items_[slot].end());
    items_[slot].clear();
    free_.push_back(slot);
  }

 private:
  struct Entry {
    double date = 0;
    std::uint64_t sequence = 0;
    std::uint32_t slot = 0;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  std::vector<Entry> heap_;
  std::vector<std::vector<Item>> items_;  ///< by slot
  std::vector<std::uint32_t> free_;       ///< slots
  std::uint64_t sequence_ = 0;
  std::size_t size_ = 0;
  double last_date_ = 0;
  std::uint32_t last_slot_ = 0;
  bool is_last_open_ = false;
};

}  // namespace switchyard
