#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "sim/cli/link_measurements.hpp"

namespace switchyard {

/// A published figure beside its prediction with the constants of a fit and the figure's own links.
struct PublishedRow {
  PublishedTransfer published;
  TransferDirection direction = TransferDirection::kDispatch;
  TransferTime time;
  double predicted = 0;  ///< in the published unit

  [[nodiscard]] double error() const;
};

/// Predicts every published figure. GB/s are those of the transmission, over the bytes that DeepEP
/// counts: to all destination ranks in one node, to all destination nodes between several, the
/// token's own included.
[[nodiscard]] std::vector<PublishedRow> predict_published(
    const ExpertParallelProfile& profile, const std::vector<PublishedTransfer>& published);

/// Everything that was fitted and compared.
struct LinkCalibration {
  std::vector<CollectiveFit> collectives;          ///< by system
  std::vector<ExpertParallelFit> expert_parallel;  ///< none or one
  std::vector<ExpertParallelRow> each_shape_held_out_once;
  std::vector<PublishedRow> published;
};

/// Tables of held-out errors, for a terminal.
[[nodiscard]] std::string calibration_tables(const LinkCalibration& calibration);

/// Every row with its prediction and role (fit, held_out, second_mode, transfer, published).
void write_calibration_csv(std::ostream& out, const LinkCalibration& calibration);

}  // namespace switchyard
