#pragma once

#include <atomic>
#include <string>

#include "kernels/measure/sustained.hpp"

namespace switchyard::kernels {

/// Seconds of "60s", as duration_of().
/// @throws KernelError (kSpec) under 10 s: the first two seconds stand for the start, and the last
///         half for what lasts
[[nodiscard]] double sustained_duration_of(const std::string& text);

/// measure_sustained() with a line each second on a terminal, stopped by SIGINT and SIGTERM, and
/// the speeds of the classes on stderr.
[[nodiscard]] SustainedResult sustain_and_tell(SustainedSpec spec, bool is_quiet);

/// True from the first SIGINT or SIGTERM on. The first call takes these signals.
[[nodiscard]] const std::atomic<bool>& stopped_by_signal();

}  // namespace switchyard::kernels
