#include "sim/cli/read_links.hpp"

#include <algorithm>

namespace switchyard {
namespace {

// An error of one means that nothing is known; there is no reason for a limit above.
ValueType<double> error_type() { return types::number({.min = 0.0, .max = 1000.0}); }

/// Profiles say where their constants come from; what reads them knows it: fitted.
void read_fitted(Section& section) {
  (void)section.choice<Provenance>("provenance", "Where the constants come from.",
                                   {{"fitted", Provenance::kFitted}});
  (void)section.text("fitted_to", "The rows that were fitted to.");
}

TimeCurve read_curve(Section section) {
  TimeCurve curve;
  curve.ranks = section.count("ranks", "Ranks that took part.", {2, 1'000'000});
  read_fitted(section);
  curve.sizes = section.list("sizes", "Knots: bytes of one rank's whole buffer, ascending.",
                             types::size(), {.min = 1});
  curve.times =
      section.list("times", "Time at each knot, never descending.", types::time(), {.min = 1});
  if (section.ok() && curve.sizes.size() != curve.times.size())
    section.problem("times", fmt::format("expected as many times as sizes ({}), got {}",
                                         curve.sizes.size(), curve.times.size()));
  if (section.ok() &&
      std::ranges::adjacent_find(curve.sizes, std::greater_equal{}) != curve.sizes.end())
    section.problem("sizes", "expected ascending sizes");
  if (section.ok() && !std::ranges::is_sorted(curve.times))
    section.problem("times", "expected times that never descend");
  section.finish();
  return curve;
}

CollectiveTimes read_times(Section section) {
  CollectiveTimes times;
  std::vector<std::pair<std::string, CollectiveKind>> kinds;
  for (const auto kind :
       {CollectiveKind::kAllToAll, CollectiveKind::kAllReduce, CollectiveKind::kAllGather,
        CollectiveKind::kReduceScatter, CollectiveKind::kPointToPoint})
    kinds.emplace_back(collective_kind_name(kind), kind);
  times.kind = section.choice<CollectiveKind>("kind", "Which collective.", kinds);
  const auto p90 = section.list("held_out_p90",
                                "Relative error that 90 % of held-out rows keep: below 64 KiB, to "
                                "4 MiB, above.",
                                error_type(), {.min = kNumSizeBands, .max = kNumSizeBands});
  std::ranges::copy_n(p90.begin(), static_cast<std::ptrdiff_t>(std::min(p90.size(), kNumSizeBands)),
                      times.held_out_p90.begin());
  times.transfer_p90 = section.value(
      "transfer_p90", "The same for a number of ranks that was not fitted.", error_type());
  times.curves = section.sections("curves", "One for each number of ranks, ascending.", read_curve,
                                  {.min = 1});
  if (section.ok() && std::ranges::adjacent_find(times.curves, std::greater_equal{},
                                                 &TimeCurve::ranks) != times.curves.end())
    section.problem("curves", "expected ascending numbers of ranks");
  section.finish();
  return times;
}

double read_share(Section& section, std::string_view key, std::string_view description) {
  return section.value(key, description, types::number({.above = 0.0, .max = 1.0}));
}

NormalTransferConstants read_normal(Section section) {
  NormalTransferConstants c;
  read_fitted(section);
  c.startup = section.seconds("startup", "All ranks in one node.");
  c.startup_between = section.seconds("startup_between", "Over several nodes.");
  c.pipeline_depth =
      section.number("pipeline_depth", "SM times that a token alone takes.", {.min = 0.0});
  c.per_token = section.seconds("per_token", "SM time of a token.");
  c.per_token_megabyte = section.seconds("per_token_megabyte", "SM time of 1e6 bytes of tokens.");
  c.per_rank_megabyte =
      section.seconds("per_rank_megabyte", "SM time of 1e6 bytes of copies to ranks.");
  c.per_node_megabyte =
      section.seconds("per_node_megabyte", "SM time of 1e6 bytes of copies to nodes.");
  c.scale_up_efficiency =
      read_share(section, "scale_up_efficiency", "Share of the usable scale-up bandwidth.");
  c.notify = section.seconds("notify", "Exchange of counts between nodes.");
  c.notify_share = section.number("notify_share", "Waiting, as a share of the transfer.",
                                  {.min = 0.0, .max = 10.0});
  section.finish();
  return c;
}

LowLatencyConstants read_low_latency(Section section) {
  LowLatencyConstants c;
  read_fitted(section);
  c.startup = section.seconds("startup", "All ranks in one node.");
  c.startup_between = section.seconds("startup_between", "Over several nodes.");
  c.per_expert = section.seconds("per_expert", "For each expert of the layer.");
  c.per_token = section.seconds("per_token", "SM time of a token.");
  c.per_token_megabyte = section.seconds("per_token_megabyte", "SM time of 1e6 bytes of tokens.");
  c.per_message_megabyte =
      section.seconds("per_message_megabyte", "SM time of 1e6 bytes of messages.");
  c.scale_up_efficiency =
      read_share(section, "scale_up_efficiency", "Share of the usable scale-up bandwidth.");
  section.finish();
  return c;
}

ExpertParallelBands read_bands(Section section) {
  ExpertParallelBands bands;
  bands.one_node_p90 = section.value("one_node", "8 ranks.", error_type());
  bands.two_nodes_p90 = section.value("two_nodes", "16 ranks.", error_type());
  section.finish();
  return bands;
}

template <class Constants>
ExpertParallelMode<Constants> read_mode(Section section, Constants (*read)(Section)) {
  ExpertParallelMode<Constants> mode;
  mode.dispatch = read(section.subsection("dispatch", "Tokens to their experts."));
  mode.combine = read(section.subsection("combine", "Results back to their tokens."));
  mode.dispatch_bands = read_bands(section.subsection("dispatch_held_out_p90", "Relative error."));
  mode.combine_bands = read_bands(section.subsection("combine_held_out_p90", "Relative error."));
  section.finish();
  return mode;
}

ExpertParallelLinks read_rank_links(Section section) {
  ExpertParallelLinks links;
  links.scale_up = section.bandwidth("scale_up", "Datasheet, of a rank, one way.");
  links.scale_up_usable = section.bandwidth("scale_up_usable", "What one-way copies reach.");
  links.scale_out = section.bandwidth("scale_out", "Of a rank's network card.");
  links.device_sms =
      section.count("device_sms", "Streaming multiprocessors of a device.", {1, 65'536});
  section.finish();
  return links;
}

}  // namespace

CollectiveProfile read_collective_profile(Section section) {
  CollectiveProfile profile;
  profile.name = section.text("name", "The system that was measured.");
  profile.library = section.text("library", "The library, with its version.");
  profile.link_bandwidth =
      section.bandwidth("link_bandwidth", "Datasheet, of a rank's scale-up links, one way.");
  Section thresholds = section.subsection("auto", "When the library changes its algorithm.");
  profile.thresholds.in_switch_from = thresholds.bytes(
      "in_switch_from", "Smallest all-reduce that the switches add up, where they can.");
  profile.thresholds.tree_up_to =
      thresholds.bytes("tree_up_to", "Largest all-reduce that trees are tried for.");
  thresholds.finish();
  profile.collectives =
      section.sections("collectives", "What was measured.", read_times, {.min = 1});
  section.finish();
  return profile;
}

ExpertParallelProfile read_expert_parallel_profile(Section section) {
  ExpertParallelProfile profile;
  profile.name = section.text("name", "The system that was measured.");
  profile.library = section.text("library", "The library.");
  profile.links = read_rank_links(section.subsection("links", "Of one rank."));
  profile.scale_out_efficiency =
      read_share(section, "scale_out_efficiency", "Share of the network card's rate.");
  profile.normal = read_mode(section.subsection("normal", "Throughput mode."), read_normal);
  profile.low_latency =
      read_mode(section.subsection("low_latency", "Low-latency mode."), read_low_latency);
  section.finish();
  return profile;
}

}  // namespace switchyard
