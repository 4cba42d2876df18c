#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/profile_text.hpp"
#include "sim/cli/progress.hpp"
#include "sim/core/error.hpp"
#include "sim/planner/fit_steps.hpp"

namespace switchyard {
namespace {

struct FitStepsOptions {
  std::vector<std::string> files;
  std::string profile;
  int jobs = 0;
  bool quiet = false;
};

std::vector<FitCase> fit_rows(const std::vector<std::string>& files) {
  std::vector<FitCase> cases;
  for (const std::string& file : files)
    for (const ExperimentCase& c : load_experiment(file, {}).cases)
      if (c.published && c.published->role == Role::kFit)
        cases.push_back({.name = c.name, .run = c.run, .measured = c.published->examples_rate});
  if (cases.empty())
    throw ConfigError("no case has \"published: {role: fit, ...}\", so there is nothing to fit to");
  for (const FitCase& c : cases)
    if (c.run.system.device.name != cases.front().run.system.device.name)
      throw ConfigError(fmt::format("rows of one device, please: {} and {} differ",
                                    cases.front().run.system.device.name,
                                    c.run.system.device.name));
  return cases;
}

void print(const StepConstants& fitted, const std::vector<FitCase>& cases) {
  fmt::print("fitted to {} rows, mean error {:.1f} %\n", cases.size(), 100 * fitted.mean_error);
  const auto provenance = [](Provenance p) { return p == Provenance::kFitted ? "fitted" : "kept"; };
  fmt::print("  sustained_speed   {:>8.3g}      {}\n", fitted.sustained_speed.value,
             provenance(fitted.sustained_speed.provenance));
  fmt::print("  memory_efficiency {:>8.3g}      {}\n", fitted.memory_efficiency.value,
             provenance(fitted.memory_efficiency.provenance));
  fmt::print("  host_launch       {:>8.3g} us   {}\n\n", 1e6 * fitted.host_launch.value.base(),
             provenance(fitted.host_launch.provenance));
  fmt::print("  {:<28}{:>12}{:>12}{:>9}\n", "row", "fitted", "published", "error");
  for (const FitCase& c : cases) {
    const PerSecond rate =
        simulate_training(with_constants(c.run, fitted), EngineKind::kAnalytic).examples_rate;
    fmt::print("  {:<28}{:>10.4g}/s{:>10.4g}/s{:>8.1f}%\n", c.name, rate.base(), c.measured.base(),
               100 * (rate / c.measured - 1));
  }
}

void fit_steps_command(const FitStepsOptions& options) {
  const std::vector<FitCase> cases = fit_rows(options.files);
  // The bar is of the evaluations that the search may take.
  Progress progress{160, options.quiet};
  const StepConstants fitted = fit_steps(
      cases,
      [&](std::size_t count, const std::function<void(std::size_t)>& work) {
        for_each_index(count, options.jobs, work);
      },
      [&](const StepConstants& at) {
        progress.finished(fmt::format("mean error {:.1f} %", 100 * at.mean_error));
      });
  print(fitted, cases);
  if (options.profile.empty()) return;
  rewrite_profile(options.profile, [&](std::string text) {
    if (fitted.sustained_speed.provenance == Provenance::kFitted)
      text = with_value(text, "sustained_speed", rounded(fitted.sustained_speed.value),
                        options.profile);
    if (fitted.host_launch.provenance == Provenance::kFitted)
      text = with_value(text, "host_launch", rounded(1e6 * fitted.host_launch.value.base()),
                        options.profile);
    return text;
  });
}

}  // namespace

void add_fit_steps(CLI::App& fit) {
  const auto options = std::make_shared<FitStepsOptions>();
  auto* command = fit.add_subcommand(
      "steps", "Fit what only whole steps show: sustained speed and the host's launches");
  command->footer(
      "Example: switchyard fit steps experiments/validation/dense_gpt_a100.yaml "
      "experiments/validation/dense_gpt_a100_node.yaml "
      "--write cost_models/profiles/a100-sxm-80gb.yaml");
  command->add_option("files", options->files, "Experiment files (YAML); their rows of role fit")
      ->required();
  command->add_option("--write", options->profile,
                      "Profile whose constants are replaced; host_launch in us");
  command->add_option("--jobs", options->jobs, "Cases at a time (default: one per core)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options] { fit_steps_command(*options); });
}

}  // namespace switchyard
