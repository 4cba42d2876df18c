#include <filesystem>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/routing_measurements.hpp"
#include "sim/cli/routing_report.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct FitRoutingOptions {
  std::string locality;
  std::string loads;
  std::string profile;
};

std::filesystem::path measurements(const std::string& given, const char* shipped) {
  return given.empty() ? data_folder() / "experiments" / "reference" / shipped
                       : std::filesystem::path{given};
}

void fit_routing(const FitRoutingOptions& options) {
  const std::filesystem::path path{options.profile};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  if (!options.profile.empty()) check_output_folder(folder);
  const LocalityTable locality =
      read_locality(measurements(options.locality, "mixtral_locality.csv"));
  const LoadTable loads = read_loads(measurements(options.loads, "load_imbalance.csv"));
  const RoutingCalibration calibration = calibrate_routing(locality, loads);
  fmt::print("{}", calibration_tables(calibration));
  if (options.profile.empty()) return;
  write_files_atomically(folder, {{path.filename().string(), [&](std::ostream& out) {
                                     write_temporal_profile(calibration.locality, locality.comments,
                                                            out);
                                   }}});
  fmt::print(stderr, "wrote {}\n", options.profile);
}

}  // namespace

void add_fit_routing(CLI::App& fit) {
  const auto options = std::make_shared<FitRoutingOptions>();
  auto* command = fit.add_subcommand(
      "routing", "Fit routers to published loads and repeated choices, and show errors");
  command->footer(
      "Example: switchyard fit routing\n"
      "         switchyard fit routing --write experiments/routing/mixtral-8x7b.yaml");
  command->add_option("--locality", options->locality,
                      "CSV of repeated choices (default: experiments/reference/"
                      "mixtral_locality.csv)");
  command->add_option("--loads", options->loads,
                      "CSV of loads (default: experiments/reference/load_imbalance.csv)");
  command->add_option("--write", options->profile, "Profile (YAML) that is written");
  command->callback([options] { fit_routing(*options); });
}

}  // namespace switchyard
