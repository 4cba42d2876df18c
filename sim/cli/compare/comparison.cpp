#include "sim/cli/compare/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr double kLeastRatio = 0.2;
constexpr double kLargestRatio = 5.0;
constexpr const char* kBoth = "products and experts";

constexpr std::size_t place(TimeClass c) { return static_cast<std::size_t>(c); }

}  // namespace

Comparison compare(const ObservedStep& observed, PredictedStep predicted) {
  Comparison result{.step = observed.name,
                    .observed_step = observed.span,
                    .predicted_step = predicted.step,
                    .unmapped = observed.unmapped_kernels};
  Seconds& experts = predicted.times.at(place(TimeClass::kExperts));
  const bool is_joined =
      experts > Seconds{} && observed.times.at(place(TimeClass::kExperts)) == Seconds{};
  if (is_joined) {
    predicted.times.at(place(TimeClass::kProducts)) += experts;
    experts = Seconds{};
    result.notes.emplace_back(
        "no kernel's name says that it is of experts: they are compared together with the other "
        "products (--classes tells them apart where a name can)");
  }
  for (int c = 0; c < kNumTimeClasses; ++c) {
    const auto time_class = static_cast<TimeClass>(c);
    const Seconds seen = observed.times.at(place(time_class));
    const Seconds expected = predicted.times.at(place(time_class));
    const bool is_both = is_joined && time_class == TimeClass::kProducts;
    if (seen + expected > Seconds{})
      result.classes.push_back(
          {is_both ? kBoth : std::string{time_class_name(time_class)}, seen, expected});
  }
  if (observed.unmapped > Seconds{})
    result.classes.push_back({"unmapped", observed.unmapped, Seconds{}});
  result.classes.push_back({"idle", observed.idle, predicted.idle});
  return result;
}

Anchor make_anchor(const Comparison& comparison, const std::string& date, bool allow_any) {
  if (!comparison.anchored_to.empty())
    throw ConfigError("--anchor: the experiment is anchored already; leave its anchor out");
  Anchor anchor{.experiment = comparison.experiment, .trace = comparison.trace, .date = date};
  std::vector<std::string> far;
  for (const ComparedClass& c : comparison.classes) {
    const bool is_both = c.name == kBoth;
    const auto time_class = is_both ? TimeClass::kProducts : time_class_of_name(c.name);
    if (!time_class || c.observed == Seconds{} || c.predicted == Seconds{}) continue;
    const double ratio = c.observed / c.predicted;
    if (ratio < kLeastRatio || ratio > kLargestRatio)
      far.push_back(fmt::format("{}: {:.3g} ms observed, {:.3g} ms predicted: ratio {:.3g}", c.name,
                                1e3 * c.observed.base(), 1e3 * c.predicted.base(), ratio));
    anchor.factors.at(place(*time_class)) = ratio;
    if (is_both) anchor.factors.at(place(TimeClass::kExperts)) = ratio;
  }
  if (!far.empty() && !allow_any)
    throw ConfigError(fmt::format(
        "--anchor: expected ratios from {} to {}; others say that trace and experiment are not of "
        "the same step (batch, microbatches, ranks, recomputation?) or that kernels are in the "
        "wrong "
        "class; --anchor-any writes them all the same:\n  {}",
        kLeastRatio, kLargestRatio, fmt::join(far, "\n  ")));
  return anchor;
}

}  // namespace switchyard
