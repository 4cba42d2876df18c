#include "sim/cli/calibration/write_profile.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "sim/cli/calibration/text_hash.hpp"
#include "sim/cli/calibration/write_kernels.hpp"
#include "sim/cli/quantity_text.hpp"
#include "sim/cli/write_links.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

using Json = nlohmann::ordered_json;

/// The best rates of any point: what a roofline of this device has.
KernelBaseline best_rates(const KernelProfile& profile) {
  KernelBaseline best;
  for (const KernelModel& model : profile.models) {
    const KernelBaseline baseline = fit_baseline(model, profile.models);
    best.peak = std::max(best.peak, baseline.peak);
    best.bandwidth = std::max(best.bandwidth, baseline.bandwidth);
  }
  return best;
}

std::string file_name(const std::string& name, const std::string& ending) {
  return name + "." + ending;
}

/// CPUs have no datasheet: the best measured rates are their peaks.
std::string roofline_yaml(const KernelBaseline& best) {
  std::string text;
  if (best.peak > FlopPerSecond{}) {
    text += fmt::format("peak_bfloat16: {:.4g} GFLOP/s\n", best.peak.base() / 1e9);
    text += "matmul_efficiency: {value: 1, provenance: extrapolated, range: [0.5, 1]}\n";
  }
  text += fmt::format("memory_bandwidth: {:.4g} GB/s\n", best.bandwidth.base() / 1e9);
  text += "memory_efficiency: {value: 1, provenance: extrapolated, range: [0.2, 1]}\n";
  const std::string source = "{provenance: fitted, source: \"best rate of any point below\"}\n";
  text += "sources:\n";
  if (best.peak > FlopPerSecond{})
    for (const char* quantity : {"peak_bfloat16", "matmul_efficiency"})
      text += fmt::format("  {}: {}", quantity, source);
  for (const char* quantity : {"memory_bandwidth", "memory_efficiency"})
    text += fmt::format("  {}: {}", quantity, source);
  return text;
}

/// @param points  the text of the file of points
std::string device_yaml(const KernelProfile& profile, const std::string& base,
                        const std::string& points) {
  const bool is_cpu = profile.measured.backend != "cuda";
  std::string text = fmt::format(
      "# {}, measured {} with {}.\n"
      "# Written by `switchyard calibrate`; docs/calibrating.md says what the constants are. Times "
      "of operators that\n# no kernel below runs are those of {}.\n"
      "base: {}\n",
      profile.measured.device, profile.measured.started, profile.measured.software,
      is_cpu ? "a roofline of the best measured rates" : "the base", base);
  if (is_cpu) text += roofline_yaml(best_rates(profile));
  Json kernels = kernels_json(profile);
  kernels["points_hash"] = text_hash(points);
  return text + yaml_text(Json{{"kernels", kernels}});
}

/// @param base  the device where no kernel was measured
std::string system_yaml(const KernelProfile& profile, const Calibration& calibration,
                        const std::string& base) {
  std::string text = fmt::format(
      "# Ranks {}: {}. Change the number of ranks with\n"
      "# --set system.scale_up.ranks=N. Written by `switchyard calibrate`.\n"
      "device: {}\n",
      profile.measured.backend == "cuda" ? "on the GPUs of one node"
                                         : "on the cores of one machine",
      profile.measured.device, profile.models.empty() ? base : file_name(profile.name, "yaml"));
  BytesPerSecond links{10e9};
  if (!calibration.links.empty()) {
    const auto& [transport, fit] = *calibration.links.begin();
    text += fmt::format("library: {}\n", file_name(profile.name, transport + ".yaml"));
    links = fit.profile.link_bandwidth;
  }
  // Latencies are part of the measured startup.
  return text +
         fmt::format("scale_up:\n  ranks: {}\n  port: {{bandwidth: {:.4g} GB/s, latency: 0 us}}\n",
                     std::max(2, profile.measured.backend == "cuda" ? profile.measured.gpus
                                                                    : profile.measured.cores),
                     links.base() / 1e9);
}

/// Where the rows of a transport come from.
std::vector<std::string> source_lines(const Calibration& calibration, const std::string& transport,
                                      const std::string& points_file) {
  std::vector<std::string> lines{"# " + points_file + ", transport " + transport};
  for (const CollectiveTimes& times : calibration.links.at(transport).profile.collectives) {
    const std::string kind = collective_kind_name(times.kind);
    const auto source = calibration.sources.find(kind);
    if (source != calibration.sources.end())
      lines.push_back("# " + kind + ": imported from " + source->second);
  }
  lines.insert(
      lines.end(),
      {"#", "# Startups contain latencies; link_bandwidth is above what any point reached."});
  return lines;
}

}  // namespace

std::set<std::string> write_profile(const Calibration& calibration, const MeasuredPoints& points,
                                    const std::string& base, const std::filesystem::path& folder) {
  KernelProfile profile = calibration.profile;
  profile.points_file = file_name(profile.name, "points.csv");
  std::vector<OutputFile> files;
  const auto add = [&files](const std::string& name, std::string text) {
    files.push_back({name, [text = std::move(text)](std::ostream& out) { out << text; }});
  };
  for (const auto& [transport, fit] : calibration.links) {
    const std::string file = file_name(profile.name, transport + ".yaml");
    profile.links_files[transport] = file;
    add(file, collective_profile_yaml(
                  fit, source_lines(calibration, transport, profile.points_file),
                  {.command = "switchyard calibrate", .held_out = "the rest held out"}));
  }
  std::string rows;
  for (const std::string& line : points.lines) rows += line + "\n";
  if (!profile.models.empty())
    add(file_name(profile.name, "yaml"), device_yaml(profile, base, rows));
  add(profile.points_file, std::move(rows));
  add(file_name(profile.name, "system.yaml"), system_yaml(profile, calibration, base));
  write_files_atomically(folder, files);
  std::set<std::string> names;
  for (const OutputFile& file : files) names.insert(file.name);
  return names;
}

}  // namespace switchyard
