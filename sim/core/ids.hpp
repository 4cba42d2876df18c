#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace switchyard {

/// An index that cannot be mistaken for another kind of index: RankId and LinkId do not mix.
/// Ids count from 0 and are dense, so `index()` addresses arrays.
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  explicit constexpr Id(std::int32_t value) : value_{value} {}

  [[nodiscard]] constexpr std::int32_t value() const { return value_; }
  [[nodiscard]] constexpr std::size_t index() const { return static_cast<std::size_t>(value_); }

  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::int32_t value_ = 0;
};

using RankId = Id<struct RankTag>;      ///< one device: a TPUv3 core or a GPU
using ExpertId = Id<struct ExpertTag>;  ///< one expert of an MoE layer
using LayerId = Id<struct LayerTag>;    ///< one block of a stack
using LinkId = Id<struct LinkTag>;      ///< one direction of a physical link
using TaskId = Id<struct TaskTag>;      ///< one task of a step graph

}  // namespace switchyard
