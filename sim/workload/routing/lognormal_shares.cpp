#include "sim/workload/routing/lognormal_shares.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include <boost/math/special_functions/erf.hpp>

#include "sim/core/error.hpp"

namespace switchyard {

std::vector<double> lognormal_quantile_shares(double sigma, int num_experts) {
  SWITCHYARD_CHECK(std::isfinite(sigma) && sigma >= 0.0 && num_experts >= 1, "sigma {}, {} experts",
                   sigma, num_experts);
  std::vector<double> shares;
  for (int i = 0; i < num_experts; ++i) {
    const double below = (i + 0.5) / num_experts;
    shares.push_back(
        std::exp(sigma * std::numbers::sqrt2 * boost::math::erf_inv(2.0 * below - 1.0)));
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace switchyard
