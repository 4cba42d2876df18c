#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "sim/workload/routing/expert_shares.hpp"
#include "sim/workload/routing/router_spec.hpp"
#include "sim/workload/routing/token_choices.hpp"

namespace switchyard {

/// What a chain remembers of a token: its first two choices; kNoExpert where there was none.
struct LastChoices {
  std::int32_t first = kNoExpert;
  std::int32_t second = kNoExpert;
};

/// The memory of a layer: interpolated between the layers of the list as TemporalRouter says.
/// Precondition: `listed` is not empty and ascends by layer.
[[nodiscard]] LayerMemory memory_of_layer(std::span<const LayerMemory> listed, int layer);

/// Shares times 1 + tilt for at most two experts. A view of the shares, made anew for each token.
class TiltedShares {
 public:
  TiltedShares(const ExpertShares& base, const LayerMemory& memory, LastChoices last);

  [[nodiscard]] std::span<const double> shares() const { return base_->shares(); }

  /// Share times tilt; the weights do not sum to 1.
  [[nodiscard]] double weight(std::int32_t expert) const;

  /// Sum of the weights of all experts.
  [[nodiscard]] double total() const { return total_; }

  /// Sum of the weights of all but the `taken`, accurate even where they have nearly all.
  [[nodiscard]] double rest(std::span<const std::int32_t> taken) const;

  /// One that is not among the `taken`, in proportion to the weights, as ExpertShares::draw_other:
  /// a mixture of the shares and of what positive tilts add, where what negative ones take off is
  /// rejected.
  [[nodiscard]] std::int32_t draw_other(std::span<const std::int32_t> taken,
                                        std::mt19937_64& rng) const;

 private:
  struct Tilted {
    std::int32_t expert = kNoExpert;
    double tilt = 0.0;
    double added = 0.0;  ///< share * tilt
  };
  [[nodiscard]] std::int32_t search_other(std::span<const std::int32_t> taken,
                                          std::mt19937_64& rng) const;
  [[nodiscard]] std::vector<std::int32_t> with_tilted(std::span<const std::int32_t> taken) const;

  const ExpertShares* base_;
  std::array<Tilted, 2> tilted_;
  double total_ = 1.0;
  double positive_total_ = 1.0;  ///< without the negative tilts
};

/// Long-run share of first choices, by expert, of the chain of a layer.
///
/// Exact for choices without a second or with second_tilt 0: pi_e ~ p_e (1 + t p_e) with p =
/// shares and t = first_tilt, by detailed balance. Else from the balance
///
///   pi_e = p_e (sum_a pi_a u_a + t1 pi_e u_e + t2 sigma_e v_e)
///
/// with sigma the long-run shares of second choices, u_a the inverse of the total weight after a
/// first choice a, averaged over what second choice came with it, and v_b likewise. Approximation:
/// that the average of an inverse is the inverse of the average, and that a second choice falls on
/// experts by Plackett-Luce of pi. For 8 experts of shares 0.07 to 0.19 within 1 % of the exact
/// share for tilts of at most 1, within 2 % up to 3; more experts are closer. Cost: O(experts) for
/// each of some tens of rounds.
/// @param shares  sum 1
[[nodiscard]] std::vector<double> long_run_shares(std::span<const double> shares,
                                                  const LayerMemory& memory, int top_k);

}  // namespace switchyard
