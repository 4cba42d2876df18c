#include "sim/workload/routing/popularity.hpp"

#include <cmath>

#include "sim/core/random.hpp"

namespace switchyard {

std::vector<double> draw_popularity(const PopularitySpec& spec, int num_experts,
                                    std::mt19937_64& rng) {
  std::vector<double> popularity(static_cast<std::size_t>(num_experts), 1.0);
  if (const auto* lognormal = std::get_if<LognormalPopularity>(&spec);
      lognormal != nullptr && lognormal->sigma > 0)
    for (double& weight : popularity) weight = std::exp(lognormal->sigma * standard_normal(rng));
  return popularity;
}

}  // namespace switchyard
