#include "sim/core/ids.hpp"

#include <concepts>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

static_assert(!std::convertible_to<int, RankId>);
static_assert(!std::convertible_to<RankId, ExpertId>);
static_assert(!std::constructible_from<LinkId, RankId>);
static_assert(!std::equality_comparable_with<RankId, ExpertId>);

TEST(Id, OrdersAndIndexesByItsValue) {
  EXPECT_LT(RankId{1}, RankId{2});
  EXPECT_EQ(RankId{}, RankId{0});
  EXPECT_EQ(RankId{7}.index(), 7U);
}

}  // namespace
}  // namespace switchyard
