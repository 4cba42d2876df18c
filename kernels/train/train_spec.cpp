#include "kernels/train/train_spec.hpp"

#include <algorithm>
#include <iterator>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/layer_keys.hpp"

namespace switchyard::kernels {

std::vector<Key> train_keys(TrainSpec& spec) {
  constexpr int kMost = 1 << 24;
  ClusterSpec& tokens = spec.tokens;
  std::vector<Key> keys{version_key(kTrainSchemaVersion)};
  std::ranges::move(layer_keys(spec.layer), std::back_inserter(keys));
  std::ranges::move(partition_keys(spec.partition), std::back_inserter(keys));
  std::ranges::move(
      std::vector<Key>{
          int_key("layers", "residual MoE layers, one after another", spec.layers, 1, kMost),
          int_key("clusters", "of tokens", tokens.num_clusters, 1, kMost),
          number_key("popularity_exponent", "the r-th cluster has r^-this of the tokens, no unit",
                     tokens.popularity_exponent, 0.0, 100.0),
          number_key("spread", "of tokens around the centre of their cluster, numbers of +-1",
                     tokens.spread, 0.0, 100.0),
          int_key("classes", "that a token may have, by a rule of its cluster", tokens.num_classes,
                  2, kMost),
          int_key("rules", "from numbers to classes; cluster c has rule c modulo this",
                  tokens.num_rules, 1, kMost),
          int64_key("tokens_per_rank", "tokens of a data rank in a step", spec.tokens_per_rank, 1,
                    kMostTokens),
          int_key("chunks", "parts of a rank's experts whose exchanges overlap; 1: no overlap",
                  spec.chunks, 1, kMost),
          int_key("steps", "of training", spec.steps, 1, kMost),
          word_key("optimizer", "on float32 copies of the weights", spec.optimizer,
                   {"sgd", "adam"}),
          number_key("learning_rate", "no unit", spec.learning_rate, 0.0, 1e6),
          uint64_key("seed", "of weights, tokens and what is random in a step", spec.seed),
          int_key("threads", "of each rank, on the CPU", spec.threads, 1, 4096),
          int_key("trace_every", "steps from one whose choices are recorded to the next; 0: none",
                  spec.trace_every, 0, kMost),
          word_key("transport", "between ranks: none for 1, loopback threads of one process",
                   spec.transport, transport_names())},
      std::back_inserter(keys));
  return keys;
}

void validate_sizes(const TrainSpec& spec) {
  validate_tokens(spec.tokens_per_rank, spec.partition, spec.layer);
  const ClusterSpec& tokens = spec.tokens;
  require_countable("classes", tokens.num_classes,
                    {tokens.num_rules, tokens.num_classes, spec.layer.d_model});
}

TrainSpec read_train_spec(std::string_view text, const std::string& file) {
  TrainSpec spec;
  read_layer_file(text, file, train_keys(spec), {spec.layer, spec.partition, spec.tokens_per_rank});
  try {
    validate_sizes(spec);
  } catch (const KernelError& error) {
    throw KeyFileError{file + ": " + error.what()};
  }
  return spec;
}

std::string write_train_spec(const TrainSpec& spec) {
  TrainSpec copy = spec;
  return write_keys(train_keys(copy));
}

}  // namespace switchyard::kernels
