#include <algorithm>
#include <cctype>
#include <memory>
#include <ostream>
#include <thread>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "sim/cli/calibration/calibration_report.hpp"
#include "sim/cli/calibration/fit_points.hpp"
#include "sim/cli/calibration/import/import_points.hpp"
#include "sim/cli/calibration/import/unused_report.hpp"
#include "sim/cli/calibration/measure_points.hpp"
#include "sim/cli/calibration/sustained_points.hpp"
#include "sim/cli/calibration/write_profile.hpp"
#include "sim/cli/commands.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct CalibrateOptions {
  std::vector<std::filesystem::path> points;
  ImportRequest import;
  std::string name;
  std::string base;
  std::string out = "calibration";
  std::string backend = "cpu";
  std::vector<std::filesystem::path> sustained_points;
  MeasureOptions measure;
};

/// A name for files: "intel-r-xeon-r-processor-2-cores".
std::string name_of(const MeasuredDevice& device) {
  std::string name;
  for (const char c : device.device) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  if (name.empty()) name = "device";
  if (device.backend == "cuda") {
    while (name.ends_with('-')) name.pop_back();
    return name;
  }
  if (name.back() != '-') name += '-';
  return name + fmt::format("{}-core{}", device.cores, device.cores == 1 ? "" : "s");
}

/// Files of points: those given, or of this machine.
std::vector<std::filesystem::path> points_of(const CalibrateOptions& options) {
  if (!options.points.empty()) return options.points;
  MeasureOptions measure = options.measure;
  measure.is_cuda = options.backend == "cuda";
  measure.folder = options.out;
  return measure_points(measure);
}

/// Names of files that are text in YAML as they are.
void check_name(const std::string& name) {
  const bool is_plain =
      !name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
      std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '+';
      });
  if (!is_plain)
    throw ConfigError(fmt::format("--name: expected letters, digits and -_.+, got \"{}\"", name));
}

/// What was measured, or imported.
Imported gathered(const CalibrateOptions& options) {
  if (options.import.files.empty()) {
    const std::vector<std::filesystem::path> files = points_of(options);
    return {.points = read_points(files), .points_files = files};
  }
  ImportRequest request = options.import;
  request.points = options.points;
  request.folder = options.out;
  Imported imported = import_points(request);
  imported.points_files = options.points;
  return imported;
}

std::string base_of(const CalibrateOptions& options, const MeasuredDevice& device) {
  if (!options.base.empty()) return options.base;
  return device.backend == "cuda" ? base_profile_of(device.device) : "cpu-core";
}

void write_unused(const std::vector<UnusedTime>& unused, const std::string& folder,
                  const std::string& name) {
  if (unused.empty()) return;
  write_files_atomically(
      folder, {{name + ".unused.csv", [&](std::ostream& out) { out << unused_csv(unused); }}});
}

void calibrate(const CalibrateOptions& options) {
  check_output_folder(options.out);
  if (!options.name.empty()) check_name(options.name);  // before minutes of measuring
  const Imported imported = gathered(options);
  for (const std::string& warning : imported.warnings) spdlog::warn("{}", warning);
  const MeasuredPoints& points = imported.points;
  const std::string name = options.name.empty() ? name_of(points.device) : options.name;
  check_name(name);
  Calibration calibration = calibrate_points(points, name);
  name_sources(imported.sources, calibration);
  calibration.profile.sustained = sustained_speeds(
      sustained_files(imported.points_files, options.sustained_points), points.device);
  LinkProfiles links;
  for (const auto& [transport, fit] : calibration.links) links[transport] = fit.profile;
  write_profile(calibration, points, base_of(options, points.device), options.out);
  write_unused(imported.unused, options.out, name);
  fmt::print("{}{}",
             format_calibration({.name = name,
                                 .measured = points.device,
                                 .rows = calibration_rows(calibration.profile, links, points)}),
             format_unused(imported.unused));
  std::string written = fmt::format("{}/{}.system.yaml", options.out, name);
  if (!calibration.profile.models.empty())
    written = fmt::format("{}/{}.yaml and ", options.out, name) + written;
  if (!imported.unused.empty())
    written += fmt::format(", and all that was not used to {}/{}.unused.csv", options.out, name);
  fmt::print(stderr, "wrote {}; use it with --set system={}/{}.system.yaml\n", written, options.out,
             name);
}

void add_import_options(CLI::App& command, CalibrateOptions& options,
                        const std::vector<CLI::Option*>& of_measuring) {
  ImportRequest& import = options.import;
  auto* files = command
                    .add_option("--import", import.files,
                                "Fit to times of another stack: a log of nccl-tests, a CSV of "
                                "operators, a trace of PyTorch or a CSV of nsys; may be repeated")
                    ->allow_extra_args(false);
  for (CLI::Option* option : of_measuring) files->excludes(option);
  const auto add = [&](const char* name, std::string& value, const char* description) {
    return command.add_option(name, value, description)->needs(files);
  };
  add("--import-format", import.format, "What the files are (default: what they look like)")
      ->check(CLI::IsMember({"auto", "nccl-tests", "operators", "trace"}));
  add("--import-collective", import.collective, "Of logs that do not say it: all_reduce, ...");
  command.add_option("--import-ranks", import.ranks, "Of logs that do not list them")
      ->check(CLI::Range(2, 100'000))
      ->needs(files);
  add("--import-backend", import.backend, "Of imported kernels (default: the file's, else cuda)")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  add("--software", import.software,
      "Stack that was measured, like \"PyTorch 2.5, cuBLAS 12.4\" (default: the file's)");
  add("--device", import.device, "Device that was measured (default: the file's)");
}

}  // namespace

void add_calibrate(CLI::App& program) {
  const auto options = std::make_shared<CalibrateOptions>();
  options->measure.ranks = std::thread::hardware_concurrency() == 1 ? 1 : 2;
  auto* command = program.add_subcommand(
      "calibrate", "Measure the kernels of this machine, fit a profile, and show held-out errors");
  command->footer(
      "Example: switchyard calibrate --budget 3min --name my-machine --out calibration\n"
      "         switchyard validate --profile calibration/my-machine.yaml\n"
      "         switchyard execute experiments/execute.yaml --set "
      "system=calibration/my-machine.system.yaml\n"
      "On another node: switchyard-kernels measure --out points.csv (of a GPU with --backend "
      "cuda), then here\n"
      "         switchyard calibrate --points points.csv --name that-node\n"
      "Another stack: switchyard calibrate --import trace.json.gz --import all_reduce.log "
      "--software \"PyTorch 2.5, cuBLAS 12.4\"");
  auto* points_option =
      command
          ->add_option("--points", options->points,
                       "Fit to a file that switchyard-kernels measured, and measure nothing; may "
                       "be repeated")
          ->allow_extra_args(false);
  auto* backend_option = command->add_option("--backend", options->backend, "What is measured")
                             ->check(CLI::IsMember({"cpu", "cuda"}))
                             ->capture_default_str()
                             ->excludes(points_option);
  auto* budget_option =
      command->add_option("--budget", options->measure.budget, "Time to measure for")
          ->capture_default_str()
          ->excludes(points_option);
  auto* sustained_option =
      command
          ->add_option("--sustained", options->measure.sustained,
                       "Run each class of operators this long without a pause as well, e.g. 60s")
          ->excludes(points_option);
  command
      ->add_option("--sustained-points", options->sustained_points,
                   "A file of sustained speeds (default: X.sustained.csv beside each X.csv of "
                   "points); may be repeated")
      ->allow_extra_args(false)
      ->check(CLI::ExistingFile);
  command->add_option("--threads", options->measure.threads, "Of each rank")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->excludes(points_option);
  command
      ->add_option("--ranks", options->measure.ranks,
                   "Ranks side by side, and of collectives and layers (default: 2, 1 on one core)")
      ->check(CLI::Range(1, 4096))
      ->excludes(points_option);
  command->add_flag("--quiet", options->measure.is_quiet, "No progress");
  command->add_option("--name", options->name, "Of the profile (default: the device's)");
  command->add_option(
      "--base", options->base,
      "Profile that has what was not measured (default: cpu-core, of CUDA h100-sxm)");
  command->add_option("--out", options->out, "Folder of the profile")->capture_default_str();
  add_import_options(*command, *options, {backend_option, budget_option, sustained_option});
  command->callback([options] { calibrate(*options); });
}

}  // namespace switchyard
