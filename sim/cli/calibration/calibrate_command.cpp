#include <cctype>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>

#include "sim/cli/calibration/calibration_report.hpp"
#include "sim/cli/calibration/fit_points.hpp"
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

void calibrate(const CalibrateOptions& options) {
  check_output_folder(options.out);
  const std::vector<std::filesystem::path> files = points_of(options);
  const MeasuredPoints points = read_points(files);
  const std::string name = options.name.empty() ? name_of(points.device) : options.name;
  if (name.find('/') != std::string::npos || name.starts_with('.'))
    throw ConfigError(fmt::format("--name: expected a plain name, got \"{}\"", name));
  std::string base = options.base;
  if (base.empty()) base = points.device.backend == "cuda" ? "h100-sxm" : "cpu-core";
  Calibration calibration = calibrate_points(points, name);
  calibration.profile.sustained =
      sustained_speeds(sustained_files(files, options.sustained_points), points.device);
  LinkProfiles links;
  for (const auto& [transport, fit] : calibration.links) links[transport] = fit.profile;
  write_profile(calibration, points, base, options.out);
  fmt::print("{}",
             format_calibration({.name = name,
                                 .measured = points.device,
                                 .rows = calibration_rows(calibration.profile, links, points)}));
  fmt::print(stderr,
             "wrote {0}/{1}.yaml and {0}/{1}.system.yaml; use it with --set "
             "system={0}/{1}.system.yaml\n",
             options.out, name);
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
      "         switchyard calibrate --points points.csv --name that-node");
  auto* points_option =
      command
          ->add_option("--points", options->points,
                       "Fit to a file that switchyard-kernels measured, and measure nothing; may "
                       "be repeated")
          ->allow_extra_args(false);
  command->add_option("--backend", options->backend, "What is measured")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str()
      ->excludes(points_option);
  command->add_option("--budget", options->measure.budget, "Time to measure for")
      ->capture_default_str()
      ->excludes(points_option);
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
  command->callback([options] { calibrate(*options); });
}

}  // namespace switchyard
