#pragma once

#include <cstdint>
#include <vector>

#include "kernels/train/train_spec.hpp"

namespace switchyard::kernels {

/// Tokens of one step and what they are to be called.
struct LabelledTokens {
  std::vector<float> numbers;  ///< (T, d_model)
  std::vector<int> classes;    ///< (T)
};

/// Where clusters lie, and the rule of each.
class ClusterTokens {
 public:
  ClusterTokens(const ClusterSpec& spec, int d_model, std::uint64_t seed);

  /// Tokens first_token .. of one step: numbers = centre of the cluster + spread * noise, class =
  /// argmax over classes of rule[class] . noise, noise uniform in (-1, 1). The same for a
  /// token whatever rank asks.
  [[nodiscard]] LabelledTokens draw(std::uint64_t step, std::int64_t first_token,
                                    std::int64_t num_tokens) const;

 private:
  [[nodiscard]] std::size_t cluster_of(float draw) const;

  ClusterSpec spec_;
  std::size_t d_model_;
  std::uint64_t seed_;
  std::vector<float> centres_;            ///< (clusters, d_model)
  std::vector<float> rules_;              ///< (rules, classes, d_model)
  std::vector<double> cumulative_share_;  ///< (clusters)
};

}  // namespace switchyard::kernels
