#include "sim/workload/routing/lognormal_shares.hpp"

#include <cmath>
#include <numbers>

#include <boost/math/special_functions/erf.hpp>

#include "sim/core/error.hpp"
#include "sim/workload/routing/popularity.hpp"

namespace switchyard {

std::vector<double> lognormal_quantile_shares(double sigma, int num_experts) {
  SWITCHYARD_CHECK(std::isfinite(sigma) && sigma >= 0.0 && num_experts >= 1, "sigma {}, {} experts",
                   sigma, num_experts);
  std::vector<double> logits;
  for (int i = 0; i < num_experts; ++i)
    logits.push_back(sigma * std::numbers::sqrt2 *
                     boost::math::erf_inv(2.0 * (i + 0.5) / num_experts - 1.0));
  return softmax(logits);
}

}  // namespace switchyard
