#include <cctype>
#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/calibration/calibration_report.hpp"
#include "sim/cli/calibration/fit_points.hpp"
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
  if (name.back() != '-') name += '-';
  return name + fmt::format("{}-core{}", device.cores, device.cores == 1 ? "" : "s");
}

void calibrate(const CalibrateOptions& options) {
  check_output_folder(options.out);
  const MeasuredPoints points = read_points(options.points);
  const std::string name = options.name.empty() ? name_of(points.device) : options.name;
  if (name.find('/') != std::string::npos || name.starts_with('.'))
    throw ConfigError(fmt::format("--name: expected a plain name, got \"{}\"", name));
  std::string base = options.base;
  if (base.empty()) base = points.device.backend == "cuda" ? "h100-sxm" : "cpu-core";
  const Calibration calibration = calibrate_points(points, name);
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
  auto* command = program.add_subcommand(
      "calibrate", "Fit a profile of a device to measured kernels, and show held-out errors");
  command->footer(
      "Example: switchyard-kernels measure --out points.csv\n"
      "         switchyard calibrate --points points.csv --name my-machine --out calibration\n"
      "         switchyard run experiment.yaml --set system=calibration/my-machine.system.yaml");
  command
      ->add_option("--points", options->points,
                   "File that switchyard-kernels measured; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--name", options->name, "Of the profile (default: the device's)");
  command->add_option(
      "--base", options->base,
      "Profile that has what was not measured (default: cpu-core, of CUDA h100-sxm)");
  command->add_option("--out", options->out, "Folder of the profile")->capture_default_str();
  command->callback([options] { calibrate(*options); });
}

}  // namespace switchyard
