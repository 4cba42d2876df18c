#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Where a call of the layer stands in a run. Random numbers depend on this and on the token alone,
/// so neither on the number of ranks nor of threads.
struct StepContext {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t layer = 0;
  std::int64_t first_token = 0;   ///< number in the batch of this call's first token
  std::int64_t batch_tokens = 0;  ///< of all ranks; what losses are means over. 0: this call's
  bool training = true;           ///< jitter and expert dropout apply
};

}  // namespace switchyard::kernels
