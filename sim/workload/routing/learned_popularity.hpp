#pragma once

#include <span>
#include <vector>

#include "sim/workload/routing/router_spec.hpp"
#include "sim/workload/routing/routing_spec.hpp"

namespace switchyard {

/// Shares of a layer of a learned router in draw i = stream.draw, by expert; sum 1.
///
/// softmax(sigma_l z_i + b), where
///   sigma_l = lognormal_sigma * exp(layer_spread * n_l), n_l normal, the same in all draws;
///   z_0 = e_0, z_i = rho z_{i-1} + sqrt(1 - rho^2) e_i with e normal for each expert and draw and
///   rho = exp(-steps_between_draws / drift_steps) (0 for drift_steps 0);
///   b = the bias of bias_balancing after its steps on the logits sigma_l z_i, held fixed.
///
/// Any draw can be had without those before it: the e_i have streams of their own. Cost: O(draw *
/// experts), and no more than the draws whose weight rho^n is above 1e-12.
[[nodiscard]] std::vector<double> learned_shares(const LearnedRouter& spec, int num_experts,
                                                 int layer, const RoutingStream& stream);

/// Logits plus bias after `balancing.steps` steps from a bias of 0: each step lowers it by `update`
/// where the expert's load is above the mean, raises it where it is below.
///
/// Loads are the expected shares of the first choice, softmax(logit + bias); those of top_k choices
/// lie on the same side of their mean but for experts within an update of it. Stops early when the
/// biases have begun to alternate, at which they would stay.
/// Cost: O(steps * experts) at most.
[[nodiscard]] std::vector<double> balanced_logits(std::span<const double> logits,
                                                  const BiasBalancing& balancing);

}  // namespace switchyard
