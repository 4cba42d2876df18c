#pragma once

#include "sim/report/run_report.hpp"

namespace switchyard {

/// Warns of cases on devices with measured kernels more than 10 % of whose time is extrapolated or
/// comes from no kernel, and names the largest such operators.
void warn_of_unproven_times(const RunReport& report);

/// Warns of anchored cases with an MFU above 1: no device is that fast.
void warn_of_anchors(const RunReport& report);

}  // namespace switchyard
