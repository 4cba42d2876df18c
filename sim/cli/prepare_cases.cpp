#include "sim/cli/prepare_cases.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "sim/cli/progress.hpp"
#include "sim/core/error.hpp"
#include "sim/planner/fit_constants.hpp"
#include "sim/planner/place_mesh.hpp"

namespace switchyard {
namespace {

FitCase fit_case(const ExperimentCase& experiment_case) {
  return {.name = experiment_case.name,
          .run = experiment_case.run,
          .measured = experiment_case.published->examples_rate};
}

/// "tensor, data": the axes of several ranks, from neighbouring ranks to distant ones.
std::string order_text(const Partition& partition) {
  std::vector<std::string> axes;
  for (const MeshAxis axis : partition.order)
    if (axis_size(partition, axis) > 1) axes.emplace_back(axis_name(axis));
  return fmt::format("{}", fmt::join(axes, ", "));
}

}  // namespace

void refit(Experiment& experiment) {
  std::vector<FitCase> cases;
  for (const ExperimentCase& c : experiment.cases)
    if (c.published && c.published->role == Role::kFit) cases.push_back(fit_case(c));
  if (cases.empty()) throw ConfigError("--refit: the experiment marks no row with \"role: fit\"");
  const FittedConstants fitted = fit_constants(cases);
  for (ExperimentCase& c : experiment.cases) c.run = with_constants(c.run, fitted);
}

void search_orders(Experiment& experiment, int jobs, bool quiet) {
  std::vector<std::string> changes(experiment.cases.size());
  for_each_index(experiment.cases.size(), jobs, [&](std::size_t i) {
    ExperimentCase& c = experiment.cases[i];
    const std::string before = order_text(c.run.step.partition);
    c.run.step.partition.order = placed_meshes(c.run).front().order;
    const std::string after = order_text(c.run.step.partition);
    if (after != before)
      changes[i] = fmt::format("{}: order {} instead of {} (neighbouring ranks first)\n", c.name,
                               after, before);
  });
  if (!quiet) fmt::print(stderr, "{}", fmt::join(changes, ""));
}

std::vector<LeaveOneOut> left_out_rows(const Experiment& experiment) {
  std::vector<FitCase> cases;
  std::vector<FitCase> always;
  for (const ExperimentCase& c : experiment.cases) {
    if (!c.published) continue;
    const bool is_left_out =
        std::ranges::find(experiment.leave_one_out, c.name) != experiment.leave_one_out.end();
    if (is_left_out)
      cases.push_back(fit_case(c));
    else if (c.published->role == Role::kFit)
      always.push_back(fit_case(c));
  }
  std::vector<LeaveOneOut> rows;
  if (cases.size() < 2) return rows;
  for (const LeftOut& left : leave_one_out(cases, always))
    rows.push_back({.name = left.name,
                    .model_error = left.model_error,
                    .constant_error = left.constant_error});
  return rows;
}

}  // namespace switchyard
