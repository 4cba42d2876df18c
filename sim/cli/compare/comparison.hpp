#pragma once

#include <string>
#include <vector>

#include "cost_models/anchor.hpp"
#include "sim/cli/compare/predicted_step.hpp"

namespace switchyard {

/// A class of times in a measured step and in the predicted one.
struct ComparedClass {
  std::string name{};
  Seconds observed{};
  Seconds predicted{};
};

/// A measured step beside the predicted one.
struct Comparison {
  std::string experiment{};              ///< name, with the case
  std::string trace{};                   ///< file
  std::string step{};                    ///< which one of the trace
  std::vector<ComparedClass> classes{};  ///< those that occur; then unmapped and idle
  Seconds observed_step{};
  Seconds predicted_step{};
  std::vector<UnmappedKernel> unmapped{};
  std::vector<std::string> notes{};
  std::string anchored_to{};  ///< what the prediction is anchored to; may be empty
};

/// Experts whose kernels nothing tells from other products are compared with them together; a note
/// says so.
[[nodiscard]] Comparison compare(const ObservedStep& observed, PredictedStep predicted);

/// Ratios observed / predicted of classes that are in both, for later predictions.
/// @param allow_any  also ratios outside [0.2, 5]
/// @throws ConfigError for such a ratio, which says that the two are not the same thing.
[[nodiscard]] Anchor make_anchor(const Comparison& comparison, const std::string& date,
                                 bool allow_any);

}  // namespace switchyard
