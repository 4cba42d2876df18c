#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/engine/step_evidence.hpp"
#include "sim/report/rate_measure.hpp"

namespace switchyard {

/// Whether a published figure was used to fit a constant. Fit rows are never evidence.
enum class Role { kFit, kPredicted };

/// A published measurement that a case is compared with.
struct PublishedRate {
  PerSecond examples_rate;
  Role role = Role::kPredicted;
  std::string source;                                     ///< where it was printed
  RateMeasure measure = RateMeasure::kExamplesPerSecond;  ///< in which it was printed
  double value = 0;                                       ///< as printed
};

/// One case (or sweep point) of a run.
struct CaseReport {
  std::string name;
  nlohmann::ordered_json input;  ///< fully resolved, in the words of the experiment file
  TrainingResult result;
  std::optional<PublishedRate> published;
  Constant matmul_efficiency;  ///< what was used, with provenance
  Constant memory_efficiency;
  Constant sustained_speed{};               ///< of devices that say so (range above 0)
  QuantityConstant<Seconds> host_launch{};  ///< the same
  std::optional<StepInterval> step_interval{};
  std::optional<StepEvidence> evidence{};
  std::string speed{};        ///< of devices with measured kernels: burst or sustained
  Constant one_hot_passes;    ///< over the one-hot tensors; used by MoE models only
  std::string anchored_to{};  ///< anchor_text(); empty: no anchor
};

/// The ratio of two cases' examples/s beside its published value.
struct RatioReport {
  std::string name;  ///< "Switch-Base cf 1.25 / cf 1.0"
  double predicted = 0;
  double published = 0;
  double tolerance = 0;          ///< relative; stated in the experiment before the run
  Role role = Role::kPredicted;  ///< kFit when the published rates of both cases were used to fit
};

/// The error of a row predicted by constants fitted without it, beside that of the best constant
/// (the geometric mean of the other rows).
struct LeaveOneOut {
  std::string name;
  double model_error = 0;  ///< relative: predicted / published - 1
  double constant_error = 0;
};

/// All that `switchyard run` says about one experiment.
struct RunReport {
  std::string experiment;
  std::string title;  ///< the question, first comment line of the file or its `title`
  EngineKind engine = EngineKind::kSimGrid;
  std::uint64_t seed = 0;
  std::vector<CaseReport> cases;
  std::vector<RatioReport> ratios;
  std::vector<LeaveOneOut> leave_one_out;  ///< empty unless asked for
};

}  // namespace switchyard
