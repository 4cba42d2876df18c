#pragma once

#include <string>
#include <vector>

#include "sim/planner/fit_collectives.hpp"
#include "sim/planner/fit_expert_parallel.hpp"

namespace switchyard {

// The profile of a fit as YAML that the functions of read_links.hpp read. The same fit gives the
// same bytes. `sources` are comment lines that say where the rows come from.

/// What wrote a profile of collectives, and which rows it held out.
struct CollectiveFitOrigin {
  std::string command = "switchyard fit links --measured ... --write ...";
  std::string held_out = "every third held out";
};

[[nodiscard]] std::string collective_profile_yaml(const CollectiveFit& fit,
                                                  const std::vector<std::string>& sources,
                                                  const CollectiveFitOrigin& origin = {});
[[nodiscard]] std::string expert_parallel_profile_yaml(const ExpertParallelFit& fit,
                                                       const std::vector<std::string>& sources);

}  // namespace switchyard
