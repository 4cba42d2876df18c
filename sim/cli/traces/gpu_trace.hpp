#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace switchyard {

/// What a trace says about a collective, of one rank.
struct TracedCollective {
  std::string name{};  ///< "allreduce", "_allgather_base", "all_to_all", ...
  std::string type{};  ///< "BFloat16", "Float", ...
  std::int64_t sent_elements = 0;
  std::int64_t received_elements = 0;
  int ranks = 0;
  bool is_uneven = false;  ///< an all-to-all whose parts differ
};

/// A kernel or copy that ran on a device.
struct TracedKernel {
  std::string name{};
  double start_us = 0;
  double duration_us = 0;
  int device = 0;
  std::int64_t external_id = -1;  ///< of the operator that launched it; -1: not known
  std::int64_t correlation = -1;  ///< with its launch on the host
  std::optional<TracedCollective> collective{};
};

/// An operator of the framework, on the host.
struct TracedOperator {
  std::string name{};  ///< "aten::mm"
  /// Of its tensors, as record_shapes has them; an empty shape is no tensor, or a number.
  std::vector<std::vector<std::int64_t>> shapes{};
  std::vector<std::string> types{};  ///< "c10::BFloat16", beside them
  std::optional<TracedCollective> collective{};
};

/// A launch on the host.
struct TracedLaunch {
  double start_us = 0;
  std::int64_t external_id = -1;
};

/// One step of a training loop, as annotated: "ProfilerStep#12".
struct TracedStep {
  std::string name{};
  double start_us = 0;
  double duration_us = 0;
};

/// What ran on the devices of one process, or of several in a trace of Nsight Systems.
struct GpuTrace {
  std::vector<TracedKernel> kernels{};                 ///< in the order of the file
  std::map<std::int64_t, TracedOperator> operators{};  ///< by external id
  std::map<std::int64_t, TracedLaunch> launches{};     ///< by correlation
  std::vector<TracedStep> steps{};                     ///< on the host, by start
  std::string device{};
  int multiprocessors = 0;
};

/// The operator that launched a kernel; nullptr where the trace does not say.
[[nodiscard]] const TracedOperator* operator_of(const GpuTrace& trace, const TracedKernel& kernel);

/// Its external id; -1 where the trace does not say.
[[nodiscard]] std::int64_t operator_id(const GpuTrace& trace, const TracedKernel& kernel);

}  // namespace switchyard
