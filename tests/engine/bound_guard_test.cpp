#include "sim/engine/bound_guard.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace switchyard {
namespace {

Task named(const char* name) {
  Task task;
  task.name = name;
  return task;
}

/// Rank 0 enters at 1 s, rank 1 leaves at `exit`.
std::vector<Span> spans_until(double exit) {
  return {{.task = {}, .rank = RankId{0}, .start = Seconds{1.0}, .end = Seconds{1.1}},
          {.task = {}, .rank = RankId{1}, .start = Seconds{1.1}, .end = Seconds{exit}}};
}

TEST(CheckNotFasterThan, AcceptsTheBoundItself) {
  check_not_faster_than(Seconds{0.5}, named("dispatch"), spans_until(1.5), 1);
  check_not_faster_than(Seconds{0.5}, named("dispatch"), spans_until(1.5 - 1e-10), 1);  // rounding
}

TEST(CheckNotFasterThanDeathTest, NamesTheCollectiveAndBothTimes) {
  EXPECT_DEATH(check_not_faster_than(Seconds{0.5}, named("dispatch"), spans_until(1.25), 1),
               "'dispatch' took 0.25 s, but its links need 0.5 s");
}

}  // namespace
}  // namespace switchyard
