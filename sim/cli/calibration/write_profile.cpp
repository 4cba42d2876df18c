#include "sim/cli/calibration/write_profile.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

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

std::string device_yaml(const KernelProfile& profile, const std::string& base) {
  const KernelBaseline best = best_rates(profile);
  std::string text = fmt::format(
      "# {}, measured {} with {}.\n"
      "# Written by `switchyard calibrate`; docs/calibrating.md says what the constants are. Times "
      "of "
      "operators that no\n# kernel below runs are those of a roofline of the best measured rates.\n"
      "base: {}\n",
      profile.measured.device, profile.measured.started, profile.measured.software, base);
  if (best.peak > FlopPerSecond{}) {
    text += fmt::format("peak_bfloat16: {:.4g} GFLOP/s\n", best.peak.base() / 1e9);
    text += "matmul_efficiency: {value: 1, provenance: extrapolated, range: [0.5, 1]}\n";
  }
  text += fmt::format("memory_bandwidth: {:.4g} GB/s\n", best.bandwidth.base() / 1e9);
  text += "memory_efficiency: {value: 1, provenance: extrapolated, range: [0.2, 1]}\n";
  return text + yaml_text(Json{{"kernels", kernels_json(profile)}});
}

std::string system_yaml(const KernelProfile& profile, const Calibration& calibration) {
  std::string text = fmt::format(
      "# Ranks on the {} of one machine: {}. Change the number of ranks with\n"
      "# --set system.scale_up.ranks=N. Written by `switchyard calibrate`.\n"
      "device: {}\n",
      profile.measured.backend == "cuda" ? "GPUs" : "cores", profile.measured.device,
      file_name(profile.name, "yaml"));
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

}  // namespace

void write_profile(const Calibration& calibration, const MeasuredPoints& points,
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
                  fit,
                  {"# " + profile.points_file + ", transport " + transport, "#",
                   "# Startups contain latencies; link_bandwidth is above what any point reached."},
                  {.command = "switchyard calibrate", .held_out = "the rest held out"}));
  }
  std::string rows;
  for (const std::string& line : points.lines) rows += line + "\n";
  add(profile.points_file, std::move(rows));
  add(file_name(profile.name, "yaml"), device_yaml(profile, base));
  add(file_name(profile.name, "system.yaml"), system_yaml(profile, calibration));
  write_files_atomically(folder, files);
}

}  // namespace switchyard
