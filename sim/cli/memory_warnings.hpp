#pragma once

#include "sim/cli/experiment.hpp"
#include "sim/report/run_report.hpp"

namespace switchyard {

/// Logs the cases that would not fit even in microbatches of one sequence, what takes most, and
/// what would make them fit. At perfect balance, before anything is run.
void warn_of_memory(const Experiment& experiment);

/// Logs the cases that do not fit in all draws of their routing.
void warn_of_draws(const RunReport& report);

}  // namespace switchyard
