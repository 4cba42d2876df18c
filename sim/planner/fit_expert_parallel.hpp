#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cost_models/expert_parallel.hpp"
#include "sim/planner/held_out_error.hpp"

namespace switchyard {

enum class ExpertParallelModeKind { kNormal, kLowLatency };

/// One measured dispatch and combine.
struct ExpertParallelMeasurement {
  std::string system;
  std::string library;
  ExpertParallelModeKind mode = ExpertParallelModeKind::kNormal;
  ExpertParallelShape shape;
  Seconds dispatch;
  Seconds dispatch_notify;
  Seconds combine;
  Seconds combine_notify;
};

/// One direction of a measurement beside its prediction, both with the notify phase.
struct ExpertParallelRow {
  ExpertParallelMeasurement measurement;
  TransferDirection direction = TransferDirection::kDispatch;
  Seconds measured;
  Seconds predicted;
  bool is_held_out = false;

  [[nodiscard]] double error() const { return predicted / measured - 1.0; }
};

struct ExpertParallelFit {
  ExpertParallelProfile profile;
  std::vector<ExpertParallelRow> rows;
};

/// Whether a row may not be fitted to:
///   one node:    whole shapes (d_model, top_k, experts): of those measured in its mode, ascending
///                from 0, every third: those whose index modulo 3 is `shape_phase`
///   two nodes:   every second number of tokens (index 1, 3, ...); low latency: all rows of shapes
///                but the first as well
/// Precondition: shape_phase is 0, 1 or 2 (checked).
[[nodiscard]] std::vector<bool> held_out_rows(const std::vector<ExpertParallelMeasurement>& rows,
                                              int shape_phase = 2);

/// Fits all constants to the rows that `is_held_out` leaves, minimising the sum of Huber's loss
/// (quadratic up to 0.3) of log(predicted / measured), step by step, each keeping what is known:
///
///   1. low latency in one node, each direction           its six constants
///   2. low latency over two nodes, both directions       both startup_between,
///   scale_out_efficiency
///   3. normal in one node, each direction                startup to scale_up_efficiency
///   4. normal over two nodes, each direction             startup_between, per_node_megabyte
///   5. notify phases over two nodes, each direction      notify, notify_share
///
/// Constants are rounded to four digits. Bands are the p90 of the rows held out.
/// Precondition: each step has rows to fit to; as many flags as rows (checked).
[[nodiscard]] ExpertParallelFit fit_expert_parallel(
    const std::vector<ExpertParallelMeasurement>& measured, const std::vector<bool>& is_held_out,
    const ExpertParallelLinks& links);

/// Every row in one node, predicted by that of three fits which held out its shape.
[[nodiscard]] std::vector<ExpertParallelRow> each_shape_held_out_once(
    const std::vector<ExpertParallelMeasurement>& measured, const ExpertParallelLinks& links);

/// The prediction of one direction by a profile, on any links.
[[nodiscard]] TransferTime predict(const ExpertParallelProfile& profile,
                                   const ExpertParallelLinks& links, ExpertParallelModeKind mode,
                                   const ExpertParallelShape& shape, TransferDirection direction);

/// Held-out errors of one mode, number of ranks and direction.
[[nodiscard]] HeldOutError held_out_error(const std::vector<ExpertParallelRow>& rows,
                                          ExpertParallelModeKind mode, int ranks,
                                          TransferDirection direction);

}  // namespace switchyard
