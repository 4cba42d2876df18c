#include "sim/planner/data_split.hpp"

#include <gmock/gmock.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using testing::ElementsAre;
constexpr SplitRole kFit = SplitRole::kFit;
constexpr SplitRole kDevelopment = SplitRole::kDevelopment;
constexpr SplitRole kSealed = SplitRole::kSealed;

TEST(AssignRoles, TakesTheFirstRuleThatHolds) {
  const std::vector<TableRow> rows{
      {{"a", "1"}, {"b", "x"}}, {{"a", "2"}, {"b", "x"}}, {{"a", "2"}, {"b", "y"}}};
  const std::vector<SplitRule> rules{{.role = kSealed, .where = {{"a", {"2", "3"}}, {"b", {"y"}}}},
                                     {.role = kFit, .where = {{"a", {"2"}}}},
                                     {.role = kDevelopment, .where = {}}};
  EXPECT_THAT(assign_roles(rules, rows), ElementsAre(kDevelopment, kFit, kSealed));
}

// Values of n ascending as numbers are 9, 10, 64, 100: the index modulo 3 is 2 for 64 alone. As
// texts they would be 10, 100, 64, 9, and 64 the third as well, but with 9 before 64 it is not.
TEST(AssignRoles, CountsDifferentValuesAsNumbers) {
  const std::vector<TableRow> rows{{{"n", "100"}}, {{"n", "64"}}, {{"n", "9"}},
                                   {{"n", "64"}},  {{"n", "10"}}, {{"n", "9"}}};
  const std::vector<SplitRule> rules{
      {.role = kDevelopment, .where = {}, .every = 3, .index = 2, .of = {"n"}, .within = {}},
      {.role = kFit, .where = {}}};
  EXPECT_THAT(assign_roles(rules, rows),
              ElementsAre(kFit, kDevelopment, kFit, kDevelopment, kFit, kFit));
}

// Within a the sizes are 1, 2 and within b 2, 4: every second is 2 of a and 4 of b.
TEST(AssignRoles, CountsWithinGroups) {
  const std::vector<TableRow> rows{{{"op", "a"}, {"size", "1"}},
                                   {{"op", "a"}, {"size", "2"}},
                                   {{"op", "b"}, {"size", "2"}},
                                   {{"op", "b"}, {"size", "4"}}};
  const std::vector<SplitRule> rules{
      {.role = kSealed, .where = {}, .every = 2, .index = 1, .of = {"size"}, .within = {"op"}},
      {.role = kFit, .where = {}}};
  EXPECT_THAT(assign_roles(rules, rows), ElementsAre(kFit, kSealed, kFit, kSealed));
}

TEST(AssignRoles, RefusesRowsWithoutRoleAndColumnsThatAreNotThere) {
  const std::vector<TableRow> rows{{{"a", "1"}}};
  const std::vector<SplitRule> none{{.role = kFit, .where = {{"a", {"2"}}}}};
  EXPECT_THROW((void)assign_roles(none, rows), ConfigError);
  const std::vector<SplitRule> other{{.role = kFit, .where = {{"b", {"2"}}}}};
  EXPECT_THROW((void)assign_roles(other, rows), ConfigError);
}

}  // namespace
}  // namespace switchyard
