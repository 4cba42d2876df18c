#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/link_report.hpp"
#include "sim/cli/write_links.hpp"
#include "sim/core/error.hpp"
#include "sim/core/parse_units.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

using namespace literals;

/// Datasheet bandwidth of a rank's scale-up links, one way.
/// Source: NVIDIA's datasheets (600 and 900 GB/s in both directions).
const std::map<std::string, BytesPerSecond>& datasheet_links() {
  static const std::map<std::string, BytesPerSecond> kLinks{{"a100_sxm", 300_GBps},
                                                            {"h100_sxm", 450_GBps}};
  return kLinks;
}

/// The node of the DeepEP measurements, and its links. scale_up_usable: 396.4 GB/s one way between
/// two H200 of a node, whose links are those of an H100 (github.com/stas00/ml-engineering at
/// 744d01e, network).
constexpr const char* kExpertParallelSystem = "h100_sxm";
constexpr ExpertParallelLinks kH100Links{
    .scale_up = 450_GBps, .scale_up_usable = 396.4_GBps, .scale_out = 50_GBps, .device_sms = 132};

struct FitLinksOptions {
  std::vector<std::string> measured;
  std::string profile;
  std::string folder;
  std::string link_bandwidth;
};

std::vector<std::filesystem::path> shipped_measurements() {
  const std::filesystem::path folder = data_folder() / "experiments" / "reference";
  return {folder / "nccl_one_node.csv", folder / "nccl_one_node_a100.csv",
          folder / "deepep_normal_h100.csv", folder / "deepep_ll_h100.csv",
          folder / "deepep_published.csv"};
}

BytesPerSecond link_bandwidth(const std::string& system, const std::string& given) {
  if (!given.empty()) {
    const auto bandwidth = parse_bandwidth(given);
    if (bandwidth && *bandwidth > BytesPerSecond{}) return *bandwidth;
    throw ConfigError(fmt::format(
        "--link-bandwidth: expected a bandwidth with its unit, like \"450 GB/s\", got \"{}\"",
        given));
  }
  const auto found = datasheet_links().find(system);
  if (found != datasheet_links().end()) return found->second;
  throw ConfigError(fmt::format(
      "the datasheet bandwidth of system \"{}\" is not known: give it with --link-bandwidth",
      system));
}

/// @throws ConfigError when a curve of one system has too few sizes, or several libraries.
void check_collectives(const std::vector<CollectiveMeasurement>& rows) {
  constexpr int kFewestSizes = 6;  // four to fit to, in each of the three ways to hold out
  std::map<std::pair<CollectiveKind, int>, std::vector<CollectiveMeasurement>> curves;
  for (const CollectiveMeasurement& row : rows) {
    if (row.library != rows.front().library)
      throw ConfigError(fmt::format("{}: expected one version of the library, got {} and {}",
                                    row.system, rows.front().library, row.library));
    curves[{row.kind, row.ranks}].push_back(row);
  }
  for (auto& [key, curve] : curves) {
    std::ranges::sort(curve, {}, &CollectiveMeasurement::size);
    const std::vector<bool> is_second_mode = second_mode_rows(curve);
    if (std::ranges::count(is_second_mode, false) < kFewestSizes)
      throw ConfigError(fmt::format(
          "{}: {} over {} GPUs: expected at least {} sizes that are no second mode, got {}",
          rows.front().system, collective_kind_name(key.first), key.second, kFewestSizes,
          std::ranges::count(is_second_mode, false)));
  }
}

std::vector<CollectiveFit> fit_each_system(const std::vector<CollectiveMeasurement>& rows,
                                           const std::string& given_bandwidth) {
  std::map<std::string, std::vector<CollectiveMeasurement>> systems;
  for (const CollectiveMeasurement& row : rows) systems[row.system].push_back(row);
  std::vector<CollectiveFit> fits;
  for (const auto& [system, of_system] : systems) {
    check_collectives(of_system);
    fits.push_back(fit_collectives(of_system, link_bandwidth(system, given_bandwidth)));
  }
  std::ranges::reverse(fits);  // the newest first: h100 before a100
  return fits;
}

/// @throws ConfigError when a step of fit_expert_parallel() would have no rows.
void check_expert_parallel(const std::vector<ExpertParallelMeasurement>& rows,
                           const std::vector<bool>& is_held_out) {
  for (const auto mode : {ExpertParallelModeKind::kNormal, ExpertParallelModeKind::kLowLatency})
    for (const int ranks : {8, 16}) {
      int to_fit = 0;
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].mode == mode && rows[i].shape.ranks == ranks && !is_held_out[i]) ++to_fit;
      if (to_fit == 0)
        throw ConfigError(fmt::format(
            "--measured: expert-parallel constants need rows of both modes over 8 and 16 GPUs; "
            "there are none of the {} mode over {}",
            mode == ExpertParallelModeKind::kNormal ? "normal" : "low-latency", ranks));
    }
  for (const ExpertParallelMeasurement& row : rows) {
    if (row.shape.ranks != 8 && row.shape.ranks != 16)
      throw ConfigError(fmt::format("--measured: expected 8 or 16 GPUs, got {}", row.shape.ranks));
    if (row.system != kExpertParallelSystem)
      throw ConfigError(fmt::format(
          "--measured: expert-parallel constants can be fitted to rows of {}, whose links are "
          "known, got {}",
          kExpertParallelSystem, row.system));
  }
}

void write_profile(const std::string& file, const LinkCalibration& calibration,
                   const std::vector<std::string>& sources) {
  if (calibration.collectives.size() + calibration.expert_parallel.size() != 1)
    throw ConfigError(fmt::format(
        "--write: one profile is written at a time; give with --measured the files of one of: {}{}",
        "collectives of one system", ", expert parallelism (both modes)"));
  const std::string text =
      calibration.collectives.empty()
          ? expert_parallel_profile_yaml(calibration.expert_parallel.front(), sources)
          : collective_profile_yaml(calibration.collectives.front(), sources);
  const std::filesystem::path path{file};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  write_files_atomically(folder,
                         {{path.filename().string(), [&text](std::ostream& out) { out << text; }}});
  fmt::print(stderr, "wrote {}\n", file);
}

void fit_links(const FitLinksOptions& options) {
  if (!options.folder.empty()) check_output_folder(options.folder);
  LinkMeasurements measurements;
  if (options.measured.empty()) {
    for (const auto& file : shipped_measurements()) add_link_measurements(file, measurements);
  } else {
    for (const std::string& file : options.measured) add_link_measurements(file, measurements);
  }
  LinkCalibration calibration;
  calibration.collectives = fit_each_system(measurements.collectives, options.link_bandwidth);
  if (!measurements.expert_parallel.empty()) {
    const auto is_held_out = held_out_rows(measurements.expert_parallel);
    check_expert_parallel(measurements.expert_parallel, is_held_out);
    calibration.expert_parallel.push_back(
        fit_expert_parallel(measurements.expert_parallel, is_held_out, kH100Links));
    calibration.each_shape_held_out_once =
        each_shape_held_out_once(measurements.expert_parallel, kH100Links);
    calibration.published =
        predict_published(calibration.expert_parallel.front().profile, measurements.published);
  }
  if (calibration.collectives.empty() && calibration.expert_parallel.empty())
    throw ConfigError("--measured: the files have no rows to fit to");
  fmt::print("{}", calibration_tables(calibration));
  if (!options.folder.empty()) {
    write_files_atomically(options.folder,
                           {{"link_calibration.csv", [&calibration](std::ostream& out) {
                               write_calibration_csv(out, calibration);
                             }}});
    fmt::print(stderr, "wrote {}/link_calibration.csv\n", options.folder);
  }
  if (!options.profile.empty()) write_profile(options.profile, calibration, measurements.comments);
}

}  // namespace

void add_fit_links(CLI::App& fit) {
  const auto options = std::make_shared<FitLinksOptions>();
  auto* command = fit.add_subcommand(
      "links", "Fit links and communication libraries to measurements, and show held-out errors");
  command->footer(
      "Example: switchyard fit links --out out/links\n"
      "         switchyard fit links --measured experiments/reference/nccl_one_node.csv --write "
      "cost_models/profiles/links/nccl-h100-nvswitch.yaml");
  command
      ->add_option("--measured", options->measured,
                   "CSV of measurements; may be repeated (default: all in experiments/reference)")
      ->allow_extra_args(false);
  command->add_option("--write", options->profile, "Profile (YAML) that is written");
  command->add_option("--out", options->folder, "Folder for link_calibration.csv");
  command->add_option("--link-bandwidth", options->link_bandwidth,
                      "Datasheet bandwidth of a GPU's links, one way, of a system not known here");
  command->callback([options] { fit_links(*options); });
}

}  // namespace switchyard
