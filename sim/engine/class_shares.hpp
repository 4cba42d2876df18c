#pragma once

#include <array>

#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {

/// A time by where it comes from, and the ends of the 90 % intervals of its parts, added up: as if
/// the errors of all were the same. Wider than the sum's interval, as far as they differ.
struct TimeSources {
  std::array<Seconds, kNumProvenances> by_provenance{};  ///< indexed by Provenance
  Seconds low;
  Seconds high;
};

/// Time, work and traffic of one operator class in one step of one rank: that which computes
/// longest, the first of several. Where ranks differ, work is their mean and `sent` is of the rank
/// that sends most.
struct ClassShare {
  OperatorClass operator_class = OperatorClass::kAttention;
  /// Of a collective, from when its last rank entered; only while the rank computes nothing.
  Seconds time;
  Flop flop;         ///< of products; fixed buffers are worked on whole, empty slots and all
  Bytes memory;      ///< read and written, with padding
  Bytes sent;        ///< to other ranks, by collectives
  Seconds bound{};   ///< of collectives: the sum of their proven bounds; time / bound is >= 1 alone
  Seconds hidden{};  ///< of collectives: while the rank computes
  /// How much shorter the step would be if the class took no time on any rank, by the closed forms:
  /// all its exposed time where nothing else waits, less where something overlaps it.
  Seconds saved_if_free{};
  TimeSources sources{};  ///< of `time`
};

using ClassShares = std::array<ClassShare, kNumOperatorClasses>;

/// What was executed of one step graph: its microbatch once, then its update.
struct ExecutedGraph {
  const StepGraph& graph;
  const TaskGraph& tasks;
  const Timeline& timeline;
};

/// The rank that computes longest.
[[nodiscard]] RankId busiest_rank(const TaskGraph& tasks, int num_ranks);

/// Adds the shares of `rank`; nodes of the microbatch count `microbatches` times, the update once.
void add_class_shares(const ExecutedGraph& executed, RankId rank, double microbatches,
                      ClassShares& shares);

/// Adds `times` what is in `part` to `sum`.
void add_shares(const ClassShares& part, double times, ClassShares& sum);

/// Gives a class another time, whatever the cause: what it consists of keeps its proportions.
void set_time(ClassShare& share, Seconds time);

/// What is in `whole` and not in `part`.
[[nodiscard]] ClassShares difference(const ClassShares& whole, const ClassShares& part);

/// The classes that occur, in order.
[[nodiscard]] std::vector<ClassShare> shares_that_occur(const ClassShares& shares);

}  // namespace switchyard
