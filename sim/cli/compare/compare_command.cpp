#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>

#include <fmt/chrono.h>
#include <CLI/CLI.hpp>

#include "sim/cli/calibration/import/import_format.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/compare/anchor_file.hpp"
#include "sim/cli/compare/comparison_report.hpp"
#include "sim/cli/csv_reader.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/rated_cases.hpp"
#include "sim/cli/traces/measured_text.hpp"
#include "sim/cli/traces/read_kineto.hpp"
#include "sim/cli/traces/read_nsight.hpp"
#include "sim/core/error.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  std::string trace;
  std::string experiment;
  std::vector<std::string> overrides;
  std::string case_name;
  std::string engine = "auto";
  std::string classes;
  std::string format = "table";
  std::string out;
  std::string anchor;
  bool anchor_any = false;
};

const ExperimentCase& chosen_case(const Experiment& experiment, const std::string& asked) {
  std::vector<std::string> names;
  for (const ExperimentCase& c : experiment.cases) names.push_back(c.name);
  if (asked.empty() && names.size() == 1) return experiment.cases.front();
  const auto found = std::ranges::find(experiment.cases, asked, &ExperimentCase::name);
  if (found != experiment.cases.end()) return *found;
  throw ConfigError(fmt::format("--case: expected one of {}, got {}{}", fmt::join(names, ", "),
                                in_quotes(asked), did_you_mean(asked, names)));
}

/// Whether the first line but comments is the head of a CSV with the column class.
bool has_class_column(const std::string& text) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') || line.find_first_not_of(" \t\r") == line.npos) continue;
    if (line.front() == '{' || line.front() == '[') return false;
    const std::vector<std::string> columns = csv_fields(line).fields;
    return std::ranges::find(columns, "class") != columns.end();
  }
  return false;
}

ObservedStep read_observed(const CompareOptions& options) {
  const std::string text = read_measured_text(options.trace);
  std::vector<KernelClass> own;
  if (!options.classes.empty()) own = read_kernel_classes(options.classes);
  if (has_class_column(text)) {
    check_is_text(text, options.trace);
    return read_observed_classes(text, options.trace);
  }
  switch (measured_format(text, options.trace)) {
    case MeasuredFormat::kKineto:
      return observed_step(read_kineto(text, options.trace), own);
    case MeasuredFormat::kNsight:
      return observed_step(read_nsight(text, options.trace), own);
    default:
      throw ConfigError(
          fmt::format("{}: expected a trace of PyTorch (Chrome JSON), a CSV of nsys stats --report "
                      "cuda_gpu_trace, or a CSV with the columns class,time_us",
                      options.trace));
  }
}

std::string today() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(now));
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path{"."};
}

void check_anchor_name(const fs::path& file) {
  std::error_code unknown;
  if (file.filename().empty() || fs::is_directory(file, unknown))
    throw ConfigError(fmt::format("--anchor: expected a file, got {}", in_quotes(file.string())));
  check_output_folder(folder_of(file));
}

void write_anchor(const Anchor& anchor, const CompareOptions& options) {
  const fs::path file{options.anchor};
  write_files_atomically(
      folder_of(file),
      {{file.filename().string(), [&](std::ostream& out) { out << anchor_yaml(anchor); }}});
  fmt::print(stderr, "wrote {}; use it with --set anchor={}\n", options.anchor, options.anchor);
}

void compare(const CompareOptions& options) {
  if (!options.out.empty()) check_output_folder(options.out);
  if (!options.anchor.empty()) check_anchor_name(options.anchor);
  const Experiment experiment = load_experiment(options.experiment, options.overrides);
  const ExperimentCase& chosen = chosen_case(experiment, options.case_name);
  const ObservedStep observed = read_observed(options);
  const TrainingRunSpec& run = chosen.run;
  Comparison comparison = compare(observed, predicted_step(run, engine_of(options.engine)));
  comparison.experiment = experiment.name;
  if (chosen.name != experiment.name) comparison.experiment += ", " + chosen.name;
  comparison.trace = fs::path{options.trace}.filename().string();
  if (run.system.anchor) comparison.anchored_to = anchor_text(*run.system.anchor);
  fmt::print("{}", options.format == "json"  ? json_text(comparison_json(comparison))
                   : options.format == "csv" ? comparison_csv(comparison)
                                             : format_comparison(comparison));
  // What the ratios are is said; files are written where all of them can be.
  std::optional<Anchor> anchor;
  if (!options.anchor.empty()) anchor = make_anchor(comparison, today(), options.anchor_any);
  if (!options.out.empty())
    write_files_atomically(
        options.out,
        {{"comparison.json",
          [&](std::ostream& out) { out << json_text(comparison_json(comparison)); }},
         {"comparison.csv", [&](std::ostream& out) { out << comparison_csv(comparison); }}});
  if (anchor) write_anchor(*anchor, options);
}

}  // namespace

void add_compare(CLI::App& program) {
  const auto options = std::make_shared<CompareOptions>();
  auto* command = program.add_subcommand(
      "compare", "Set a measured step beside the predicted one, by class of operators");
  command->footer(
      "Example: switchyard compare trace.json.gz experiment.yaml\n"
      "         switchyard compare trace.json.gz experiment.yaml --anchor anchor.yaml\n"
      "         switchyard run experiment.yaml --set anchor=anchor.yaml --set "
      "batch.sequences=2048");
  command
      ->add_option("trace", options->trace,
                   "Trace of PyTorch (Chrome JSON, may be gzip'd), CSV of nsys stats --report "
                   "cuda_gpu_trace, or CSV with class,time_us")
      ->required();
  command->add_option("experiment", options->experiment, "Experiment file (YAML)")->required();
  command->add_option("--set", options->overrides, "Change a field: path=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--case", options->case_name, "Case of the experiment, where it has several");
  command->add_option("--engine", options->engine, "How collectives are timed; auto is fluid")
      ->check(CLI::IsMember({"auto", "fluid", "simgrid", "analytic"}))
      ->capture_default_str();
  command->add_option("--classes", options->classes,
                      "CSV with pattern,class: what names of kernels say, asked before what is "
                      "known");
  command->add_option("--format", options->format, "What is printed")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "Folder for comparison.json and comparison.csv");
  auto* anchor = command->add_option(
      "--anchor", options->anchor,
      "File for the ratios of this step, by which later runs with anchor: FILE are multiplied");
  command->add_flag("--anchor-any", options->anchor_any, "Also ratios below 0.2 and above 5")
      ->needs(anchor);
  command->callback([options] { compare(*options); });
}

}  // namespace switchyard
