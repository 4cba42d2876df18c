#pragma once

#include <atomic>

#include "kernels/measure/sustained.hpp"

namespace switchyard::kernels {

/// measure_sustained() with a line each second on a terminal, stopped by SIGINT and SIGTERM, and
/// the speeds of the classes on stderr.
[[nodiscard]] SustainedResult sustain_and_tell(SustainedSpec spec, bool is_quiet);

/// True from the first SIGINT or SIGTERM on. The first call takes these signals.
[[nodiscard]] const std::atomic<bool>& stopped_by_signal();

}  // namespace switchyard::kernels
