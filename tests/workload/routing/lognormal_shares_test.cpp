#include "sim/workload/routing/lognormal_shares.hpp"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

namespace switchyard {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

// Quantiles of the standard normal at 1/4 and 3/4: -0.67449 and 0.67449. With sigma 1 the weights
// are exp(-0.67449) = 0.50942 and 1.96303, so 0.50942 / 2.47245 = 0.20604.
TEST(LognormalQuantileShares, AreQuantilesScaledToOne) {
  EXPECT_THAT(lognormal_quantile_shares(1.0, 2),
              ElementsAre(DoubleNear(0.20604, 1e-5), DoubleNear(0.79396, 1e-5)));
}

// The quantiles are symmetric about 0: share i times share n - 1 - i is the same for all i.
TEST(LognormalQuantileShares, AreSymmetricInTheirLogarithms) {
  const auto shares = lognormal_quantile_shares(0.25, 8);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1.0, 1e-15);
  for (std::size_t i = 0; i + 1 < shares.size(); ++i) EXPECT_LT(shares[i], shares[i + 1]);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(shares[i] * shares[7 - i], shares[3] * shares[4], 1e-15);
}

TEST(LognormalQuantileShares, AreUniformAtSigmaZero) {
  EXPECT_THAT(lognormal_quantile_shares(0.0, 3), testing::Each(DoubleNear(1.0 / 3, 1e-15)));
  EXPECT_THAT(lognormal_quantile_shares(2.0, 1), ElementsAre(1.0));
}

TEST(LognormalQuantileSharesDeathTest, RefusesANegativeSigma) {
  EXPECT_DEATH((void)lognormal_quantile_shares(-0.1, 8), "sigma -0.1");
}

}  // namespace
}  // namespace switchyard
