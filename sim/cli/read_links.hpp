#pragma once

#include "cost_models/collective_profile.hpp"
#include "cost_models/expert_parallel.hpp"
#include "sim/cli/section.hpp"

namespace switchyard {

/// Reads cost_models/profiles/links/nccl-*.yaml, as write_collective_profile() writes them.
[[nodiscard]] CollectiveProfile read_collective_profile(Section section);

/// Reads cost_models/profiles/links/deepep-*.yaml, as write_expert_parallel_profile() writes them.
[[nodiscard]] ExpertParallelProfile read_expert_parallel_profile(Section section);

}  // namespace switchyard
