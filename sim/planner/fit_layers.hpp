#pragma once

#include <span>
#include <string>
#include <vector>

#include "cost_models/moe_layer_time.hpp"
#include "sim/planner/data_split.hpp"
#include "sim/planner/held_out_error.hpp"

namespace switchyard {

/// One measured MoE layer.
struct LayerMeasurement {
  std::string framework;
  std::string library;  ///< "TRTLLM 1.3.0rc20"
  StackLayerShape shape;
  Seconds time;
  SplitRole role = SplitRole::kDevelopment;
};

/// "1024 tokens, tp 4, ep 1".
[[nodiscard]] std::string layer_name(const StackLayerShape& shape);

/// A row beside what the stack's constants say, and two trivial predictions.
struct LayerRow {
  LayerMeasurement measured;
  Seconds predicted;
  Seconds roofline;  ///< max(FLOP / peak, bytes / bandwidth) / one efficiency
  Seconds constant;  ///< FLOP / one rate

  [[nodiscard]] double error() const { return predicted / measured.time - 1.0; }
  [[nodiscard]] double roofline_error() const { return roofline / measured.time - 1.0; }
  [[nodiscard]] double constant_error() const { return constant / measured.time - 1.0; }
};

/// Rows beside the predictions of `stack`; the efficiency and the rate of the trivial predictions
/// are fitted to the rows to fit to, see one_efficiency().
/// Precondition: rows to fit to; the device has a matmul_model (checked).
[[nodiscard]] std::vector<LayerRow> predict_layers(std::span<const LayerMeasurement> measured,
                                                   const MoeLayerStack& stack,
                                                   const DeviceProfile& device);

/// `stack` with its constants fitted to the rows whose role is fit, to three digits: least squares
/// of the logarithmic error, growing linearly beyond 5 %.
///
///   kLibraryTiles  matmul_efficiency, streaming_efficiency, hidden_share, layer_overhead
///   kTokenBlocks   load_rate, streaming_efficiency, hidden_share, layer_overhead: loads bound
///                  these kernels before the matrix unit does, whose efficiency stays
///
/// Precondition: as predict_layers().
[[nodiscard]] MoeLayerStack fit_layers(std::span<const LayerMeasurement> measured,
                                       MoeLayerStack stack, const DeviceProfile& device);

/// Errors of the rows of a role, of the prediction that `error` names.
[[nodiscard]] HeldOutError layer_error(std::span<const LayerRow> rows, SplitRole role,
                                       double (LayerRow::*error)() const = &LayerRow::error);

}  // namespace switchyard
