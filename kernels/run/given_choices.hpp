#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/layer/buffer.hpp"
#include "kernels/run/run_spec.hpp"

namespace switchyard::kernels {

/// Choices of each token that a trace decides: top_k, or 1 where the gate drops the second.
[[nodiscard]] int num_given_choices(const RunSpec& spec);

/// The experts of a token of the batch in a layer, best first; a trace that ends begins anew.
/// Precondition: require_choices().
[[nodiscard]] std::span<const std::int16_t> given_choices(const RunSpec& spec, std::uint64_t layer,
                                                          std::int64_t token);

/// Whether the trace of a run with InputRouting::kTrace can be its choices.
/// @throws KernelError (kSpec) when it is not there, has too few layers or choices, an expert
///         outside or twice, a choice that was not made, or the gate decides by chance
void require_choices(const RunSpec& spec);

/// Moves tokens until a router chooses what it is to choose.
class TokenLeaning {
 public:
  /// Borrows the router. @param router  (num_experts, d_model)
  TokenLeaning(const Buffer<float>& router, int d_model);

  /// Adds multiples of router rows until every chosen expert's logit lies 0.5 above the next one's,
  /// and the last chosen 0.5 above all others: more than rounding to bfloat16 moves.
  ///
  /// Each round takes the order that is violated most and projects the token to where it holds.
  /// Source: Agmon, "The relaxation method for linear inequalities", Canad. J. Math. 6, 1954.
  /// @param experts  to be chosen, best first
  /// @return false when that is not reached: rows of few numbers may rule out a choice
  [[nodiscard]] bool lean(std::span<const std::int16_t> experts, std::span<float> token) const;

 private:
  const Buffer<float>& router_;
  std::size_t d_model_;
  std::size_t num_experts_;
  std::vector<double> products_;  ///< (num_experts, num_experts), of router rows
};

}  // namespace switchyard::kernels
