#include <memory>
#include <thread>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "sim/cli/calibration/calibration_names.hpp"
#include "sim/cli/calibration/calibration_report.hpp"
#include "sim/cli/calibration/fit_points.hpp"
#include "sim/cli/calibration/import/import_points.hpp"
#include "sim/cli/calibration/import/unused_report.hpp"
#include "sim/cli/calibration/measure_points.hpp"
#include "sim/cli/calibration/sustained_points.hpp"
#include "sim/cli/calibration/write_calibration.hpp"
#include "sim/cli/commands.hpp"
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

/// What is fitted to, and what this run measured of this machine.
struct Gathered {
  Imported imported;
  MeasuredFiles measured;
};

Gathered gathered(const CalibrateOptions& options) {
  if (!options.import.files.empty()) {
    ImportRequest request = options.import;
    request.points = options.points;
    request.folder = options.out;
    Gathered result{.imported = import_points(request), .measured = {}};
    result.imported.points_files = options.points;
    return result;
  }
  Gathered result;
  result.imported.points_files = options.points;
  if (options.points.empty()) {
    MeasureOptions measure = options.measure;
    measure.is_cuda = options.backend == "cuda";
    measure.folder = options.out;
    result.measured = measure_points(measure);
    result.imported.points_files = result.measured.files;
  }
  result.imported.points = read_points(result.imported.points_files);
  return result;
}

std::string base_of(const CalibrateOptions& options, const MeasuredDevice& device) {
  if (!options.base.empty()) return options.base;
  return device.backend == "cuda" ? base_profile_of(device.device) : "cpu-core";
}

void calibrate(const CalibrateOptions& options) {
  check_output_folder(options.out);
  // Before minutes of measuring.
  if (!options.name.empty()) check_profile_name(options.name);
  if (!options.base.empty()) check_base(options.base, options.out);
  const Gathered all = gathered(options);
  const Imported& imported = all.imported;
  for (const std::string& warning : imported.warnings) spdlog::warn("{}", warning);
  const MeasuredPoints& points = imported.points;
  const std::string name = options.name.empty() ? profile_name_of(points.device) : options.name;
  check_profile_name(name);
  Calibration calibration = calibrate_points(points, name);
  name_sources(imported.sources, calibration);
  calibration.profile.sustained = sustained_speeds(
      sustained_files(imported.points_files, options.sustained_points), points.device);
  LinkProfiles links;
  for (const auto& [transport, fit] : calibration.links) links[transport] = fit.profile;
  write_calibration(calibration, imported,
                    {.base = base_of(options, points.device), .folder = options.out});
  fmt::print("{}{}",
             format_calibration({.name = name,
                                 .measured = points.device,
                                 .rows = calibration_rows(calibration.profile, links, points)}),
             format_unused(imported.unused));
  fmt::print(stderr, "{}", written_text(calibration, imported, options.out));
  refuse_failed_checks(all.measured.failed_checks);
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
      "--software \"PyTorch 2.5, cuBLAS 12.4\"\n"
      "Exit status: 0 done, 2 wrong input or kernels that failed their check (the profile has the "
      "others),\n"
      "             3 interrupted: the same command goes on");
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
