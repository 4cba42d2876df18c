#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/layer_spec.hpp"
#include "kernels/ranks/partition.hpp"
#include "kernels/run/key_table.hpp"
#include "kernels/run/routing_trace.hpp"

namespace switchyard::kernels {

enum class RunMode { kForward, kForwardBackward };
enum class BackendChoice { kCpu, kCuda, kAuto };

/// Where a run's choices come from.
enum class InputRouting {
  kLearned,  ///< a router as first drawn, on random tokens
  kSkew,     ///< tokens that lean towards experts drawn by popularity, the r-th r^-skew_exponent
  kTrace,    ///< tokens that lean towards recorded experts, checked to be chosen
};

/// MoE layers that are run for a number of steps and measured. Each has tokens of its own.
struct RunSpec {
  MoeLayerSpec layer = {.d_model = 512, .d_ff = 2048, .num_experts = 8};
  std::int64_t tokens_per_rank = 1024;  ///< of a data rank; its tensor ranks have the same
  int layers = 1;
  RankPartition partition = {};
  int chunks = 1;  ///< of a rank's experts, whose exchanges overlap with the others' products
  RunMode mode = RunMode::kForwardBackward;
  int steps = 10;  ///< measured
  int warmup = 2;  ///< steps before
  std::uint64_t seed = 1;
  BackendChoice backend = BackendChoice::kAuto;
  int threads = 1;  ///< of each rank
  InputRouting routing = InputRouting::kLearned;
  double skew_exponent = 1.0;
  std::string trace_file = "none";                        ///< of kTrace, beside the file of keys
  std::shared_ptr<const RoutingTrace> choices = nullptr;  ///< of kTrace; specs are copied
  Transport transport = Transport::kNone;
};

inline constexpr int kRunSchemaVersion = 1;

/// All keys of the file; they borrow the spec.
[[nodiscard]] std::vector<Key> run_keys(RunSpec& spec);

/// Without the choices of a trace, see load_choices().
/// @param file  name for messages
/// @throws KeyFileError with all that is wrong, or whose layer, partition or trace cannot be
[[nodiscard]] RunSpec read_run_spec(std::string_view text, const std::string& file);

/// The file that read_run_spec reads back.
[[nodiscard]] std::string write_run_spec(const RunSpec& spec);

/// Reads the trace of a run with InputRouting::kTrace into `choices`.
/// @param file  of keys, which the trace lies beside
/// @throws KeyFileError when it cannot be read
void load_choices(const std::string& file, RunSpec& spec);

}  // namespace switchyard::kernels
