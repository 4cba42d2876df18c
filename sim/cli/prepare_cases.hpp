#pragma once

#include <vector>

#include "sim/cli/experiment.hpp"
#include "sim/report/run_report.hpp"

namespace switchyard {

/// Fits the constants to the experiment's fit rows and puts them into all its cases.
/// @throws ConfigError when it marks none.
void refit(Experiment& experiment);

/// Puts the fastest order of axes into every case, and says which where it is another.
void search_orders(Experiment& experiment, int jobs, bool quiet);

/// Refits without each of the experiment's leave_one_out cases; its other fit rows stay in.
[[nodiscard]] std::vector<LeaveOneOut> left_out_rows(const Experiment& experiment);

}  // namespace switchyard
