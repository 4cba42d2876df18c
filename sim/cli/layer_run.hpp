#pragma once

#include <string>

#include "kernels/run/run_spec.hpp"
#include "sim/engine/training_run.hpp"

namespace switchyard {

/// What `execute` may change of a case.
struct LayerRunOptions {
  int layers = 0;  ///< 0: all MoE layers of the stack
  int steps = 10;
  int warmup = 2;
  int threads = 1;
  bool forward_only = false;
  kernels::BackendChoice backend = kernels::BackendChoice::kAuto;
  kernels::Transport transport = kernels::Transport::kLoopback;
};

/// The real run of a case's MoE layers: those of the encoder, or of a decoder-only model, on one
/// microbatch of tokens.
///
/// Its choices are those of draw 0 of the case's routing, whatever its kind; ranks that hold the
/// same experts as others have the same tokens. Tensor ranks have copies of the tokens, also where
/// the prediction splits the stream (sequence_parallel): each of them dispatches all rows.
/// @throws ConfigError naming everything that our kernels do not have, with what they have.
[[nodiscard]] kernels::RunSpec layer_run(const std::string& name, const TrainingRunSpec& run,
                                         const LayerRunOptions& options);

}  // namespace switchyard
