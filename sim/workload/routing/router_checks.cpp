#include <cmath>

#include "sim/core/error.hpp"
#include "sim/workload/routing/router_state.hpp"

namespace switchyard {
namespace {

bool is_at_least(double value, double least) { return std::isfinite(value) && value >= least; }

void check_gate(const GateSpec& gate, int num_choices, int num_experts) {
  SWITCHYARD_CHECK(gate.second_choice == SecondChoice::kAlways || gate.top_k == 2,
                   "a policy for second choices with top_k {}", gate.top_k);
  SWITCHYARD_CHECK(is_at_least(gate.second_threshold, 0.0), "threshold {}", gate.second_threshold);
  SWITCHYARD_CHECK(is_at_least(gate.sharpness, 0.0), "sharpness {}", gate.sharpness);
  SWITCHYARD_CHECK(is_at_least(gate.jitter, 0.0), "jitter {}", gate.jitter);
  SWITCHYARD_CHECK(gate.expert_groups >= 1 && num_experts % gate.expert_groups == 0,
                   "{} experts in {} groups", num_experts, gate.expert_groups);
  SWITCHYARD_CHECK(1 <= gate.groups_per_token && gate.groups_per_token <= gate.expert_groups,
                   "{} of {} groups", gate.groups_per_token, gate.expert_groups);
  const int reachable = num_experts / gate.expert_groups * gate.groups_per_token;
  SWITCHYARD_CHECK(num_choices <= reachable, "{} choices among the {} experts of {} groups",
                   num_choices, reachable, gate.groups_per_token);
  SWITCHYARD_CHECK(gate.expert_groups == 1 || (gate.renormalized && gate.jitter == 0.0),
                   "groups of experts need renormalized gates without jitter");
}

struct CheckRouter {
  const GateSpec& gate;
  const RouterShape& shape;
  int num_choices = 0;

  void operator()(const FixedRouter&) const {}

  void operator()(const LearnedRouter& router) const {
    SWITCHYARD_CHECK(is_at_least(router.lognormal_sigma, 0.0), "sigma {}", router.lognormal_sigma);
    SWITCHYARD_CHECK(is_at_least(router.layer_spread, 0.0), "layer spread {}", router.layer_spread);
    SWITCHYARD_CHECK(
        is_at_least(router.drift_steps, 0.0) && is_at_least(router.steps_between_draws, 0.0),
        "drift in {} steps, {} between draws", router.drift_steps, router.steps_between_draws);
  }

  void operator()(const TemporalRouter& router) const {
    check_ungrouped();
    SWITCHYARD_CHECK(!router.layers.empty(), "no layers");
    for (std::size_t i = 0; i < router.layers.size(); ++i) {
      const LayerMemory& memory = router.layers[i];
      SWITCHYARD_CHECK(i == 0 || router.layers[i - 1].layer < memory.layer,
                       "layer {} is not above the one before it", memory.layer);
      SWITCHYARD_CHECK(
          is_at_least(memory.first_tilt, -1.0) && is_at_least(memory.second_tilt, -1.0),
          "tilts {} and {}", memory.first_tilt, memory.second_tilt);
    }
  }

  void operator()(const DomainRouter& router) const {
    SWITCHYARD_CHECK(!router.domain_weights.empty() && router.sequence_tokens >= 1,
                     "{} domains, sequences of {} tokens", router.domain_weights.size(),
                     router.sequence_tokens);
  }

  void operator()(const LayerCorrelatedRouter& router) const {
    check_ungrouped();
    SWITCHYARD_CHECK(is_at_least(router.affinity, 0.0) && router.affinity <= 1.0, "affinity {}",
                     router.affinity);
  }

  void operator()(const TraceRouter& router) const {
    check_ungrouped();
    SWITCHYARD_CHECK(router.trace != nullptr, "no trace");
    const RoutingTrace& trace = *router.trace;
    SWITCHYARD_CHECK(trace.num_tokens >= 1 && trace.num_layers >= shape.num_layers &&
                         trace.num_choices >= num_choices && trace.num_experts <= shape.num_experts,
                     "a trace of {} tokens, {} layers, {} choices, {} experts for {} layers, {} "
                     "choices, {} experts",
                     trace.num_tokens, trace.num_layers, trace.num_choices, trace.num_experts,
                     shape.num_layers, num_choices, shape.num_experts);
    SWITCHYARD_CHECK(gate.jitter == 0.0 && gate.second_choice != SecondChoice::kThreshold &&
                         gate.second_choice != SecondChoice::kRandom,
                     "a trace has no gates");
  }

  void check_ungrouped() const {
    SWITCHYARD_CHECK(
        gate.expert_groups == 1,
        "groups of experts are for fixed, learned and domain routers, not in {} groups",
        gate.expert_groups);
  }
};

}  // namespace

void check_router(const RoutingSpec& spec, const RouterShape& shape) {
  const int top_k = spec.gate.top_k;
  SWITCHYARD_CHECK(shape.num_experts >= 1 && shape.num_layers >= 1 && shape.num_ranks >= 1 &&
                       shape.tokens_per_rank >= 0,
                   "{} experts, {} layers, {} ranks, {} tokens each", shape.num_experts,
                   shape.num_layers, shape.num_ranks, shape.tokens_per_rank);
  SWITCHYARD_CHECK(1 <= top_k && top_k <= shape.num_experts, "top_k {} of {} experts", top_k,
                   shape.num_experts);
  const int attempts = spec.slots.reroute_attempts;
  SWITCHYARD_CHECK(0 <= attempts && attempts <= shape.num_experts - top_k,
                   "{} attempts to reroute after {} choices of {} experts", attempts, top_k,
                   shape.num_experts);
  check_gate(spec.gate, top_k + attempts, shape.num_experts);
  std::visit(CheckRouter{spec.gate, shape, top_k + attempts}, spec.router);
}

}  // namespace switchyard
