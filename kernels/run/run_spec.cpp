#include "kernels/run/run_spec.hpp"

#include <filesystem>
#include <iterator>
#include <limits>

#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/layer_keys.hpp"

namespace switchyard::kernels {

std::vector<Key> run_keys(RunSpec& spec) {
  constexpr int kMost = 1 << 24;
  std::vector<Key> keys{version_key(kRunSchemaVersion)};
  std::ranges::move(layer_keys(spec.layer), std::back_inserter(keys));
  std::ranges::move(partition_keys(spec.partition), std::back_inserter(keys));
  std::ranges::move(
      std::vector<Key>{
          int64_key("tokens_per_rank", "tokens of a data rank; its tensor ranks have the same",
                    spec.tokens_per_rank, 0, kMostTokens),
          int_key("layers", "MoE layers, each with tokens of its own", spec.layers, 1, kMost),
          int_key("chunks", "parts of a rank's experts whose exchanges overlap; 1: no overlap",
                  spec.chunks, 1, kMost),
          word_key("mode", "what a step does", spec.mode, {"forward", "forward+backward"}),
          int_key("steps", "that are measured", spec.steps, 1, kMost),
          int_key("warmup", "steps before, not measured", spec.warmup, 0, kMost),
          uint64_key("seed", "of weights, tokens and what is random in a step", spec.seed),
          word_key("backend", "auto: cuda where it is built and a GPU is there", spec.backend,
                   {"cpu", "cuda", "auto"}),
          int_key("threads", "of each rank, on the CPU", spec.threads, 1, 4096),
          word_key("routing",
                   "where choices come from: a first router on random tokens, or "
                   "tokens that lean towards popular or recorded experts",
                   spec.routing, {"learned", "skew", "trace"}),
          number_key("skew_exponent", "the r-th most popular expert weighs r^-this, no unit",
                     spec.skew_exponent, 0.0, 100.0),
          text_key("trace", "recorded experts of routing = trace, as train --trace writes",
                   "a .npy file beside this one, or none", spec.trace_file),
          word_key("transport", "between ranks: none for 1, loopback threads of one process",
                   spec.transport, transport_names())},
      std::back_inserter(keys));
  return keys;
}

RunSpec read_run_spec(std::string_view text, const std::string& file) {
  RunSpec spec;
  read_layer_file(text, file, run_keys(spec), {spec.layer, spec.partition, spec.tokens_per_rank});
  if ((spec.routing == InputRouting::kTrace) == (spec.trace_file == "none"))
    throw KeyFileError{file +
                       ": trace: expected a .npy file with routing = trace, none with others"
                       ", got '" +
                       spec.trace_file + "'"};
  return spec;
}

void load_choices(const std::string& file, RunSpec& spec) {
  if (spec.routing != InputRouting::kTrace) return;
  const std::string trace = (std::filesystem::path{file}.parent_path() / spec.trace_file).string();
  spec.choices = std::make_shared<const RoutingTrace>(parse_npy(content_of(trace), trace));
}

std::string write_run_spec(const RunSpec& spec) {
  RunSpec copy = spec;
  return write_keys(run_keys(copy));
}

}  // namespace switchyard::kernels
