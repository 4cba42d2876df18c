#include "kernels/run/layer_keys.hpp"

#include <limits>

#include "kernels/layer/kernel_error.hpp"

namespace switchyard::kernels {

std::vector<Key> layer_keys(MoeLayerSpec& spec) {
  constexpr int kMost = 1 << 24;
  constexpr double kAny = std::numeric_limits<double>::infinity();
  RouterSpec& router = spec.router;
  CapacitySpec& capacity = spec.capacity;
  return {
      int_key("d_model", "numbers of a token", spec.d_model, 1, kMost),
      int_key("d_ff", "hidden numbers of an expert, over all tensor ranks", spec.d_ff, 1, kMost),
      int_key("num_experts", "experts of a layer, over all ranks", spec.num_experts, 1, kMost),
      word_key("activation", "of the experts", spec.activation, {"relu", "geglu", "swiglu"}),
      word_key("precision", "of storage; the router computes in float32 under selective",
               spec.precision, {"float32", "bfloat16", "selective"}),
      int_key("top_k", "choices of a token", router.top_k, 1, kMost),
      word_key("second_choice", "when the second of two choices is used", router.second_choice,
               {"always", "threshold", "random", "never"}),
      number_key("second_threshold", "gate that threshold and random compare with, no unit",
                 router.second_threshold, 0.0, kAny),
      bool_key("renormalized", "whether gates are the softmax over the chosen experts alone",
               router.renormalized),
      number_key("jitter", "the router's input is multiplied by 1 +- this, no unit", router.jitter,
                 0.0, 1.0),
      number_key("aux_loss_weight", "alpha of the load-balance loss, no unit",
                 router.aux_loss_weight, 0.0, kAny),
      number_key("z_loss_weight", "of the router's z-loss, no unit", router.z_loss_weight, 0.0,
                 kAny),
      optional_key("capacity_factor", "slots of an expert over the mean of its group's tokens",
                   "dropless", capacity.capacity_factor),
      bool_key("capacity_times_top_k", "whether the mean counts all choices of a token",
               capacity.times_top_k),
      int64_key("capacity_minimum", "slots that an expert has at least", capacity.minimum, 0,
                kMostTokens),
      word_key("capacity_rounding", "to whole slots", capacity.rounding, {"down", "nearest", "up"}),
      int64_key("group_tokens", "tokens that compete for slots; 0: all of a data rank",
                capacity.group_tokens, 0, kMostTokens),
      word_key("priority", "who gets slots first", capacity.priority,
               {"choice-major", "token-major"}),
      number_key("expert_dropout", "share of hidden numbers that are lost in training",
                 spec.expert_dropout, 0.0, 1.0)};
}

std::vector<Key> partition_keys(RankPartition& partition) {
  constexpr int kMost = 1 << 20;
  return {int_key("data", "ranks with tokens of their own", partition.data, 1, kMost),
          int_key("tensor", "ranks that share each expert's hidden numbers", partition.tensor, 1,
                  kMost),
          int_key("expert", "data ranks that share the experts; divides data", partition.expert, 1,
                  kMost)};
}

void read_layer_file(std::string_view text, const std::string& file, const std::vector<Key>& keys,
                     const LayerFile& sets) {
  read_keys(text, file, keys);
  try {
    validate(sets.layer);
    validate(sets.partition, sets.layer, num_ranks_of(sets.partition));
    validate_tokens(sets.tokens_per_rank, sets.partition, sets.layer);
  } catch (const KernelError& error) {
    throw KeyFileError{file + ": " + error.what()};
  }
}

}  // namespace switchyard::kernels
