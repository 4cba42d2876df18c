#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/workload/routing/routing_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// The sizes of what is routed.
struct RouterShape {
  int num_experts = 0;
  int num_layers = 1;  ///< MoE layers of the stack
  int num_ranks = 1;   ///< sources
  std::int64_t tokens_per_rank = 0;
};

struct RouterState;

/// The routers of all MoE layers of a stack in one draw: popularity drawn, tables built. Immutable.
class Router {
 public:
  /// Precondition: the spec is possible (checked): 1 <= top_k + reroute_attempts <= num_experts,
  /// groups divide the experts, a trace has the layers, choices and experts, ...
  Router(const RoutingSpec& spec, const RouterShape& shape, const RoutingStream& stream);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router();

  [[nodiscard]] const RouterShape& shape() const;

  /// Share of first choices by expert, in the long run and over all domains; of a trace, counted.
  /// Of temporal routers see long_run_shares for how exact. Before jitter and expert groups.
  [[nodiscard]] std::vector<double> popularity(int layer) const;

 private:
  friend class RankTokens;
  std::unique_ptr<const RouterState> state_;
};

/// The tokens of one source rank, block by block. Ranks are independent of each other, so they may
/// be drawn in any order or at once.
class RankTokens {
 public:
  /// @param with_gates  fill TokenChoices::gates
  RankTokens(const Router& router, int rank, bool with_gates);
  RankTokens(RankTokens&&) noexcept;
  ~RankTokens();

  /// Draws the next block of `num_tokens` tokens in `layer`. Each block is asked for layer by layer
  /// from 0 upwards, then comes the next block (checked): choices may depend on the layer below and
  /// on the token before. No more than the shape's tokens_per_rank in all (checked). Choices do not
  /// depend on with_gates, nor the numbers of one layer on how many there are.
  void draw(int layer, std::int64_t num_tokens, TokenChoices& choices);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace switchyard
