#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/calibration/validate_profile.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/published_areas.hpp"
#include "sim/cli/rated_cases.hpp"
#include "sim/cli/validate_experiments.hpp"
#include "sim/core/error.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/output_folder.hpp"
#include "sim/report/validation_files.hpp"
#include "sim/report/validation_markdown.hpp"
#include "sim/report/validation_table.hpp"

namespace switchyard {
namespace {

struct ValidateOptions {
  std::vector<std::filesystem::path> paths;
  std::string profile;  ///< instead of paths
  std::string engine = "analytic";
  std::string format = "table";
  std::string out;
  int jobs = 0;  ///< 0: one per core
  bool quiet = false;
};

void run_profile(const ValidateOptions& options) {
  if (options.format == "markdown")
    throw ConfigError("--format: markdown is of what is shipped; with --profile: table, json, csv");
  const CalibrationReport report = validate_profile(options.profile);
  const std::string json = calibration_json(report).dump(2) + "\n";
  const std::string csv = calibration_csv(report);
  if (!options.out.empty())
    write_files_atomically(options.out,
                           {{"calibration.json", [&](std::ostream& out) { out << json; }},
                            {"calibration.csv", [&](std::ostream& out) { out << csv; }}});
  fmt::print("{}", options.format == "json"  ? json
                   : options.format == "csv" ? csv
                                             : format_calibration(report));
}

void run(const ValidateOptions& options) {
  std::vector<std::filesystem::path> paths = options.paths;
  if (paths.empty()) paths.push_back(data_folder() / "experiments" / "validation");
  const std::vector<Experiment> experiments = load_published(paths);
  ValidationReport report =
      validate(experiments,
               {.engine = engine_of(options.engine), .jobs = options.jobs, .quiet = options.quiet});
  if (options.paths.empty()) report.areas = published_areas();
  if (!options.out.empty()) {
    std::vector<OutputFile> files{
        {"validation.json", [&](std::ostream& out) { out << json_text(to_json(report)); }},
        {"validation.csv", [&](std::ostream& out) { out << to_csv(report); }}};
    if (!report.areas.empty())
      files.push_back(
          {"validation_areas.csv", [&](std::ostream& out) { out << areas_csv(report.areas); }});
    write_files_atomically(options.out, files);
    if (!options.quiet)
      fmt::print(stderr, "wrote validation.json and validation.csv{} to {}\n",
                 report.areas.empty() ? "" : ", and validation_areas.csv,", options.out);
  }
  if (options.format == "json")
    fmt::print("{}", json_text(to_json(report)));
  else if (options.format == "csv")
    fmt::print("{}{}", to_csv(report), report.areas.empty() ? "" : areas_csv(report.areas));
  else if (options.format == "markdown")
    fmt::print("{}", validation_markdown(report));
  else
    fmt::print("{}", format_table(report));
}

}  // namespace

void add_validate(CLI::App& program) {
  const auto options = std::make_shared<ValidateOptions>();
  auto* command = program.add_subcommand(
      "validate", "Replay published results and show how far the predictions are off");
  command->footer(
      "Example: switchyard validate\n"
      "         switchyard validate experiments/table1.yaml --out out/validation\n"
      "         switchyard validate --profile calibration/my-machine.yaml --out out/calibration");
  auto* paths_option = command->add_option(
      "paths", options->paths,
      "Experiment files, or folders of them (default: experiments/validation of "
      "what is shipped)");
  command
      ->add_option("--profile", options->profile,
                   "Instead: the profile of a calibrated device, beside what was measured of it")
      ->excludes(paths_option);
  command
      ->add_option("--engine", options->engine,
                   "How collectives are timed; analytic, unlike run, for there are many runs")
      ->check(CLI::IsMember({"auto", "fluid", "simgrid", "analytic"}))
      ->capture_default_str();
  command
      ->add_option("--format", options->format,
                   "What is printed; markdown: the summaries alone, as README.md has them")
      ->check(CLI::IsMember({"table", "json", "csv", "markdown"}))
      ->capture_default_str();
  auto* out_option =
      command->add_option("--out", options->out, "Folder for validation.json and validation.csv");
  command->add_option("--jobs", options->jobs, "Runs at a time (default: one per core)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--quiet", options->quiet, "No progress and no notes");
  command->callback([options, out_option] {
    if (out_option->count() > 0) check_output_folder(options->out);
    if (options->profile.empty())
      run(*options);
    else
      run_profile(*options);
  });
}

}  // namespace switchyard
