#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/ranks/partition.hpp"
#include "kernels/run/key_table.hpp"

namespace switchyard::kernels {

enum class Optimizer { kSgd, kAdam };

/// Tokens in clusters, each cluster with a rule of its own for the class of a token.
struct ClusterSpec {
  int num_clusters = 128;
  double popularity_exponent = 0.5;  ///< the r-th cluster has a share of r^-this of the tokens
  double spread = 1.0;               ///< of tokens around their centre, whose numbers are +-1
  int num_classes = 4;
  int num_rules = 4;  ///< cluster c has rule c % num_rules
};

/// A stack of residual MoE layers and a readout, trained on ever new tokens.
struct TrainSpec {
  MoeLayerSpec layer = {
      .d_model = 32, .d_ff = 64, .num_experts = 8, .capacity = {.capacity_factor = 1.25}};
  int layers = 6;
  ClusterSpec tokens = {};
  std::int64_t tokens_per_rank = 1024;  ///< in a step, of a data rank
  RankPartition partition = {};
  int chunks = 1;
  int steps = 300;
  Optimizer optimizer = Optimizer::kAdam;
  double learning_rate = 3e-3;
  std::uint64_t seed = 1;
  int threads = 1;
  int trace_every = 10;  ///< steps from one that is recorded to the next; 0: none
  Transport transport = Transport::kNone;
};

inline constexpr int kTrainSchemaVersion = 1;

/// All keys of the file; they borrow the spec.
[[nodiscard]] std::vector<Key> train_keys(TrainSpec& spec);

/// @throws KernelError (kSpec) when tokens or rules are more numbers than 64 bits count
void validate_sizes(const TrainSpec& spec);

/// @throws KeyFileError with all that is wrong, or whose layer or partition cannot be
[[nodiscard]] TrainSpec read_train_spec(std::string_view text, const std::string& file);

/// The file that read_train_spec reads back.
[[nodiscard]] std::string write_train_spec(const TrainSpec& spec);

}  // namespace switchyard::kernels
