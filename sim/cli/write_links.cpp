#include "sim/cli/write_links.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace switchyard {
namespace {

std::string microseconds(Seconds time) { return fmt::format("{:.4g} us", time.base() * 1e6); }
std::string gigabytes(BytesPerSecond rate) { return fmt::format("{:.4g} GB/s", rate.base() / 1e9); }

std::string size_text(Bytes size) {
  for (const auto& [unit, name] : {std::pair{0x1p20, "MiB"}, std::pair{0x1p10, "KiB"}})
    if (std::fmod(size.base(), unit) == 0)
      return fmt::format("{:.0f} {}", size.base() / unit, name);
  return fmt::format("{:.0f} B", size.base());
}

template <class T, class Text>
std::string list(const std::vector<T>& values, Text text) {
  std::vector<std::string> items;
  std::ranges::transform(values, std::back_inserter(items), text);
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string opening(const std::string& what, const std::vector<std::string>& sources,
                    const CollectiveFitOrigin& origin = {}) {
  return fmt::format(
      "# {}\n# Written by `{}`;\n"
      "# docs/link_calibration.md has the model. The measurements:\n#\n{}\n#\n",
      what, origin.command, fmt::join(sources, "\n"));
}

std::string curve_yaml(const CollectiveFit& fit, CollectiveKind kind, const TimeCurve& curve,
                       const CollectiveFitOrigin& origin) {
  int fitted = 0;
  int held_out = 0;
  int second_mode = 0;
  for (const CollectiveRow& row : fit.rows) {
    if (row.measured.kind != kind || row.measured.ranks != curve.ranks) continue;
    ++(row.is_second_mode ? second_mode : row.is_held_out ? held_out : fitted);
  }
  return fmt::format(
      "      - ranks: {}\n        provenance: fitted\n"
      "        fitted_to: {} of {} sizes; {}, {} of a second mode left out\n"
      "        sizes: {}\n        times: {}\n",
      curve.ranks, fitted, fitted + held_out + second_mode, origin.held_out, second_mode,
      list(curve.sizes, size_text), list(curve.times, microseconds));
}

std::string block(const NormalTransferConstants& c, const std::string& rows) {
  return fmt::format(
      "    provenance: fitted\n    fitted_to: {}\n    startup: {}\n    startup_between: {}\n"
      "    pipeline_depth: {:.4g}\n    per_token: {}\n    per_token_megabyte: {}\n"
      "    per_rank_megabyte: {}\n    per_node_megabyte: {}\n    scale_up_efficiency: {:.4g}\n"
      "    notify: {}\n    notify_share: {:.4g}\n",
      rows, microseconds(c.startup), microseconds(c.startup_between), c.pipeline_depth,
      microseconds(c.per_token), microseconds(c.per_token_megabyte),
      microseconds(c.per_rank_megabyte), microseconds(c.per_node_megabyte), c.scale_up_efficiency,
      microseconds(c.notify), c.notify_share);
}

std::string block(const LowLatencyConstants& c, const std::string& rows) {
  return fmt::format(
      "    provenance: fitted\n    fitted_to: {}\n    startup: {}\n    startup_between: {}\n"
      "    per_expert: {}\n    per_token: {}\n    per_token_megabyte: {}\n"
      "    per_message_megabyte: {}\n    scale_up_efficiency: {:.4g}\n",
      rows, microseconds(c.startup), microseconds(c.startup_between), microseconds(c.per_expert),
      microseconds(c.per_token), microseconds(c.per_token_megabyte),
      microseconds(c.per_message_megabyte), c.scale_up_efficiency);
}

std::string bands_yaml(const char* name, const ExpertParallelBands& bands) {
  return fmt::format("  {}_held_out_p90: {{one_node: {:.4g}, two_nodes: {:.4g}}}\n", name,
                     bands.one_node_p90, bands.two_nodes_p90);
}

std::string rows_text(const ExpertParallelFit& fit, ExpertParallelModeKind mode) {
  int one_node = 0;
  int two_nodes = 0;
  int held_out = 0;
  for (const ExpertParallelRow& row : fit.rows) {
    if (row.measurement.mode != mode || row.direction != TransferDirection::kDispatch) continue;
    const bool is_one_node = row.measurement.shape.ranks <= row.measurement.shape.ranks_per_node;
    ++(row.is_held_out ? held_out : is_one_node ? one_node : two_nodes);
  }
  return fmt::format("{} rows of 8 ranks, {} of 16; {} held out", one_node, two_nodes, held_out);
}

template <class Constants>
std::string mode_yaml(const ExpertParallelMode<Constants>& mode, const std::string& rows) {
  return "  dispatch:\n" + block(mode.dispatch, rows) + "  combine:\n" + block(mode.combine, rows) +
         bands_yaml("dispatch", mode.dispatch_bands) + bands_yaml("combine", mode.combine_bands);
}

}  // namespace

std::string collective_profile_yaml(const CollectiveFit& fit,
                                    const std::vector<std::string>& sources,
                                    const CollectiveFitOrigin& origin) {
  const CollectiveProfile& profile = fit.profile;
  std::string text = opening("Time of collectives in one node, by size (one rank's whole buffer).",
                             sources, origin) +
                     "# Held-out median, p90 and number of rows, second modes left out:\n";
  for (const CollectiveTimes& times : profile.collectives)
    for (std::size_t i = 0; i < kNumSizeBands; ++i) {
      const auto band = static_cast<SizeBand>(i);
      const HeldOutError error = held_out_error(fit.rows, times.kind, band, false);
      text +=
          fmt::format("#   {:<15}{:<17}{:5.1f} %{:7.1f} %{:5}\n", collective_kind_name(times.kind),
                      size_band_name(band), 100 * error.median, 100 * error.p90, error.rows);
    }
  text += fmt::format(
      "name: {}\nlibrary: {}\nlink_bandwidth: {}  # datasheet\n"
      "auto: {{in_switch_from: {:.6g} KiB, tree_up_to: {:.6g} MiB}}  # assumed\ncollectives:\n",
      profile.name, profile.library, gigabytes(profile.link_bandwidth),
      profile.thresholds.in_switch_from.base() / 0x1p10,
      profile.thresholds.tree_up_to.base() / 0x1p20);
  for (const CollectiveTimes& times : profile.collectives) {
    text += fmt::format(
        "  - kind: {}\n"
        "    # Each row held out once, in thirds; below 64 KiB, to 4 MiB, above.\n"
        "    held_out_p90: [{:.4f}, {:.4f}, {:.4f}]\n    transfer_p90: {:.4f}\n    curves:\n",
        collective_kind_name(times.kind), times.held_out_p90[0], times.held_out_p90[1],
        times.held_out_p90[2], times.transfer_p90);
    for (const TimeCurve& curve : times.curves) text += curve_yaml(fit, times.kind, curve, origin);
  }
  return text;
}

std::string expert_parallel_profile_yaml(const ExpertParallelFit& fit,
                                         const std::vector<std::string>& sources) {
  const ExpertParallelProfile& profile = fit.profile;
  using Mode = ExpertParallelModeKind;
  return opening("Expert-parallel dispatch and combine: see cost_models/expert_parallel.hpp.",
                 sources) +
         fmt::format(
             "name: {}\nlibrary: {}\nlinks:\n"
             "  scale_up: {}         # datasheet\n"
             "  scale_up_usable: {}  # measured between two H200, whose links are the same\n"
             "  scale_out: {}         # datasheet\n"
             "  device_sms: {}\n"
             "# Fitted to the low-latency rows of 16 ranks; the normal mode does not tell it.\n"
             "scale_out_efficiency: {:.4g}\n"
             "normal:\n{}low_latency:\n{}",
             profile.name, profile.library, gigabytes(profile.links.scale_up),
             gigabytes(profile.links.scale_up_usable), gigabytes(profile.links.scale_out),
             profile.links.device_sms, profile.scale_out_efficiency,
             mode_yaml(profile.normal, rows_text(fit, Mode::kNormal)),
             mode_yaml(profile.low_latency, rows_text(fit, Mode::kLowLatency)));
}

}  // namespace switchyard
