#pragma once

#include "sim/report/run_report.hpp"

namespace switchyard {

/// Warns of cases on devices with measured kernels more than 10 % of whose time is extrapolated or
/// comes from no kernel, and names the largest such operators.
void warn_of_unproven_times(const RunReport& report);

}  // namespace switchyard
