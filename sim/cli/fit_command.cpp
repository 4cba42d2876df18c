#include <array>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/profile_text.hpp"
#include "sim/core/error.hpp"
#include "sim/planner/fit_constants.hpp"

namespace switchyard {
namespace {

std::array<std::pair<std::string, Constant>, 3> named_constants(const FittedConstants& fitted) {
  return {{{"matmul_efficiency", fitted.matmul_efficiency},
           {"memory_efficiency", fitted.memory_efficiency},
           {"one_hot_passes", fitted.one_hot_passes}}};
}

void write_profile(const std::string& file, const FittedConstants& fitted) {
  rewrite_profile(file, [&](std::string text) {
    for (const auto& [key, constant] : named_constants(fitted))
      if (constant.provenance == Provenance::kFitted)
        text = with_value(text, key, rounded(constant.value), file);
    return text;
  });
}

void print_constant(const std::string& name, const Constant& constant) {
  const bool is_fitted = constant.provenance == Provenance::kFitted;
  const bool is_at_bound =
      is_fitted && (constant.value <= constant.lowest || constant.value >= constant.highest);
  fmt::print("  {:<20}{:>8.3g}   {:<8}   plausible {} to {}{}\n", name, constant.value,
             is_fitted ? "fitted" : "kept", constant.lowest, constant.highest,
             is_at_bound ? "  AT THE BOUND" : "");
}

void fit(const std::string& file, const std::vector<std::string>& overrides,
         const std::string& profile) {
  const Experiment experiment = load_experiment(file, overrides);
  std::vector<FitCase> cases;
  for (const ExperimentCase& c : experiment.cases)
    if (c.published && c.published->role == Role::kFit)
      cases.push_back({.name = c.name, .run = c.run, .measured = c.published->examples_rate});
  if (cases.empty())
    throw ConfigError(fmt::format(
        "{}: no case has \"published: {{role: fit, ...}}\", so there is nothing to fit to", file));

  const FittedConstants fitted = fit_constants(cases);
  fmt::print("fitted to {} row{}\n", cases.size(), cases.size() == 1 ? "" : "s");
  for (const auto& [name, constant] : named_constants(fitted)) print_constant(name, constant);
  fmt::print("\n  {:<28}{:>12}{:>12}{:>9}\n", "row", "fitted", "published", "error");
  for (const FitCase& c : cases) {
    const PerSecond rate = predicted_examples_rate(with_constants(c.run, fitted));
    fmt::print("  {:<28}{:>10.0f}/s{:>10.0f}/s{:>8.1f}%\n", c.name, rate.base(), c.measured.base(),
               100 * (rate / c.measured - 1));
  }
  fmt::print("  root mean square of the logarithmic error: {:.1f}%\n", 100 * fitted.rms_error);
  if (profile.empty()) return;
  write_profile(profile, fitted);
}

}  // namespace

void add_fit(CLI::App& program) {
  const auto file = std::make_shared<std::string>();
  const auto overrides = std::make_shared<std::vector<std::string>>();
  const auto profile = std::make_shared<std::string>();
  auto* command = program.add_subcommand(
      "fit",
      "Fit a device's constants to the rows that an experiment marks as fit, or products, links");
  command->footer(
      "Example: switchyard fit experiments/table1.yaml\n"
      "         switchyard fit experiments/table1.yaml --write "
      "cost_models/profiles/tpu-v3-core.yaml\n"
      "         switchyard fit links --help");
  command->add_option("file", *file, "Experiment file (YAML)");
  command->add_option("--set", *overrides, "Change a field: path=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--write", *profile, "Profile whose constants are replaced");
  add_fit_gemm(*command);
  add_fit_layers(*command);
  add_fit_links(*command);
  add_fit_routing(*command);
  add_fit_steps(*command);
  command->require_subcommand(0, 1);
  command->callback([command, file, overrides, profile] {
    if (!command->get_subcommands().empty()) return;
    // Not marked as required, because `fit links` has none.
    if (file->empty()) throw CLI::RequiredError("file");
    fit(*file, *overrides, *profile);
  });
}

}  // namespace switchyard
