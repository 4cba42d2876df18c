#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/memory_warnings.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/prepare_cases.hpp"
#include "sim/cli/progress.hpp"
#include "sim/cli/rated_cases.hpp"
#include "sim/cli/unproven_warnings.hpp"
#include "sim/core/error.hpp"
#include "sim/report/csv_report.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/output_folder.hpp"
#include "sim/report/table_report.hpp"
#include "sim/report/trace.hpp"

namespace switchyard {
namespace {

struct RunOptions {
  std::string file;
  std::vector<std::string> overrides;
  std::string engine = "auto";
  std::string format = "table";
  std::string out;
  std::string trace;  ///< name of the case whose timeline is written
  int jobs = 0;       ///< 0: one per core
  bool refit = false;
  bool folded = false;
  bool search_order = false;
  bool quiet = false;
};

RunReport run_experiment(const Experiment& experiment, EngineKind engine,
                         const RunOptions& options) {
  RunReport report{.experiment = experiment.name,
                   .title = experiment.title,
                   .engine = engine,
                   .seed = experiment.seed,
                   .cases = std::vector<CaseReport>(experiment.cases.size()),
                   .ratios = {},
                   .leave_one_out = {}};
  Progress progress{experiment.cases.size(), options.quiet};
  for_each_index(experiment.cases.size(), options.jobs, [&](std::size_t i) {
    const ExperimentCase& c = experiment.cases[i];
    TrainingResult result = simulate_training(c.run, engine);
    std::optional<StepEvidence> evidence = step_evidence(result, c.run.system.device);
    report.cases[i] = {.name = c.name,
                       .input = resolved_input(c.run),
                       .result = std::move(result),
                       .published = c.published,
                       .matmul_efficiency = c.run.system.device.matmul_efficiency,
                       .memory_efficiency = c.run.system.device.memory_efficiency,
                       .sustained_speed = c.run.system.device.sustained_speed,
                       .host_launch = c.run.system.device.host_launch,
                       .step_interval = c.run.system.device.step_interval,
                       .evidence = std::move(evidence),
                       .speed = speed_of(c.run.system),
                       .one_hot_passes = c.run.step.lowering.one_hot_passes,
                       .anchored_to = c.run.system.anchor ? anchor_text(*c.run.system.anchor) : ""};
    progress.finished(c.name);
  });
  std::vector<RatedCase> rated;
  for (const CaseReport& c : report.cases)
    rated.push_back({.name = c.name,
                     .examples_rate = c.result.examples_rate,
                     .is_fit = c.published && c.published->role == Role::kFit});
  report.ratios = ratio_reports(experiment.ratios, rated);
  report.leave_one_out = left_out_rows(experiment);
  return report;
}

/// The case whose timeline is written: the one asked for, else the last with experts, else the
/// last.
const CaseReport& traced_case(const RunReport& report, const std::string& asked) {
  if (!asked.empty()) return *std::ranges::find(report.cases, asked, &CaseReport::name);
  const auto sparse = std::find_if(report.cases.rbegin(), report.cases.rend(),
                                   [](const CaseReport& c) { return !c.result.routing.empty(); });
  return sparse != report.cases.rend() ? *sparse : report.cases.back();
}

void check_trace_name(const Experiment& experiment, const std::string& asked) {
  std::vector<std::string> names;
  for (const ExperimentCase& c : experiment.cases) names.push_back(c.name);
  if (!asked.empty() && std::ranges::find(names, asked) == names.end())
    throw ConfigError(fmt::format("--trace: expected the name of a case, got {}{}",
                                  in_quotes(asked), did_you_mean(asked, names)));
}

void run(const RunOptions& options) {
  Experiment experiment = load_experiment(options.file, options.overrides);
  if (options.refit) refit(experiment);
  if (options.search_order) search_orders(experiment, options.jobs, options.quiet);
  if (options.folded) {
    if (options.engine != "auto" && options.engine != "analytic")
      throw ConfigError(
          "--folded: only --engine analytic, its default, gives equal ranks equal dates");
    for (ExperimentCase& c : experiment.cases) c.run.folding = Folding::kOneForAll;
  }
  check_trace_name(experiment, options.trace);
  if (!options.out.empty()) check_output_folder(options.out);
  if (!options.quiet) warn_of_memory(experiment);
  const EngineKind engine = options.folded ? EngineKind::kAnalytic : engine_of(options.engine);
  const RunReport report = run_experiment(experiment, engine, options);
  if (!options.quiet) warn_of_draws(report);
  if (!options.quiet) warn_of_unproven_times(report);
  if (!options.quiet) warn_of_anchors(report);

  if (!options.out.empty()) {
    const CaseReport& traced = traced_case(report, options.trace);
    write_files_atomically(
        options.out,
        {{"results.json", [&](std::ostream& out) { out << json_text(to_json(report)); }},
         {"results.csv", [&](std::ostream& out) { out << to_csv(report); }},
         {"timeline.json", [&](std::ostream& out) {
            write_trace(traced.result, out,
                        {.max_ranks = {},
                         .experiment = report.experiment,
                         .case_name = traced.name,
                         .engine = std::string{engine_name(report.engine)},
                         .seed = report.seed});
          }}});
    if (!options.quiet)
      fmt::print(stderr,
                 "wrote results.json, results.csv and timeline.json ({}; open it in "
                 "ui.perfetto.dev) to {}\n",
                 traced.name, options.out);
  }
  if (options.format == "json")
    fmt::print("{}", json_text(to_json(report)));
  else if (options.format == "csv")
    fmt::print("{}", to_csv(report));
  else
    fmt::print("{}", format_table(report));
}

}  // namespace

void add_run(CLI::App& program) {
  const auto options = std::make_shared<RunOptions>();
  auto* command =
      program.add_subcommand("run", "Predict an experiment and compare it with what was published");
  command->footer(
      "Example: switchyard run experiments/table1.yaml --out out/table1\n"
      "         switchyard run experiments/table1.yaml --set batch.sequences=2048");
  command->add_option("file", options->file, "Experiment file (YAML)")->required();
  command->add_option("--set", options->overrides, "Change a field: path=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--engine", options->engine, "How collectives are timed; auto is fluid")
      ->check(CLI::IsMember({"auto", "fluid", "simgrid", "analytic"}))
      ->capture_default_str();
  command->add_option("--format", options->format, "What is printed")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  auto* out_option = command->add_option("--out", options->out,
                                         "Folder for results.json, results.csv and timeline.json");
  command->add_option("--trace", options->trace,
                      "Case whose timeline is written (default: the last with experts)");
  const auto seed = std::make_shared<std::string>();  // checked like the file's
  auto* seed_option =
      command->add_option("--seed", *seed, "Seed, in place of the file's")->type_name("INT");
  command->add_option("--jobs", options->jobs, "Cases at a time (default: one per core)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--refit", options->refit,
                    "Fit the constants anew to the rows marked fit, not the profile's");
  command->add_flag("--search-order", options->search_order,
                    "Lay each case's mesh axes over the ranks in the order whose step is fastest");
  command->add_flag("--folded", options->folded,
                    "One rank stands for all that do the same, by --engine analytic: faster, the "
                    "same results");
  command->add_flag("--quiet", options->quiet, "No progress and no notes");
  command->callback([options, seed, seed_option, out_option] {
    if (out_option->count() > 0) check_output_folder(options->out);
    if (seed_option->count() > 0) options->overrides.push_back(fmt::format("seed={}", *seed));
    run(*options);
  });
}

}  // namespace switchyard
