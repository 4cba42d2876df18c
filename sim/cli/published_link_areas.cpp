#include <map>

#include <fmt/format.h>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/link_measurements.hpp"
#include "sim/cli/published_areas.hpp"
#include "sim/cli/read_links.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/planner/area_baseline.hpp"

namespace switchyard {
namespace {

using namespace literals;

/// Adds the trivial predictions; `rows` are the area's, with group and limit.
ValidationArea with_startup_and_rate(ValidationArea area, const std::vector<BaselineRow>& rows) {
  const std::vector<Seconds> times = one_startup_and_rate(rows);
  for (std::size_t i = 0; i < times.size(); ++i) area.rows[i].baseline = times[i];
  area.baseline = "one startup and rate";
  return area;
}

LinkMeasurements measurements_of(const std::vector<const char*>& files) {
  LinkMeasurements measurements;
  for (const char* file : files)
    add_link_measurements(data_folder() / "experiments" / "reference" / file, measurements);
  return measurements;
}

/// Fitted anew, which gives the shipped profiles; their rows of a second mode count as predicted.
ValidationArea collective_area() {
  const LinkMeasurements measurements =
      measurements_of({"nccl_one_node.csv", "nccl_one_node_a100.csv"});
  const std::map<std::string, BytesPerSecond> links{{"a100_sxm", 300_GBps}, {"h100_sxm", 450_GBps}};
  ValidationArea area{.name = "NCCL collectives", .baseline = "", .rows = {}};
  std::vector<BaselineRow> baseline;
  for (const auto& [system, link] : links) {
    std::vector<CollectiveMeasurement> of_system;
    for (const CollectiveMeasurement& row : measurements.collectives)
      if (row.system == system) of_system.push_back(row);
    for (const CollectiveRow& row : fit_collectives(of_system, link).rows) {
      const CollectiveMeasurement& measured = row.measured;
      const bool is_fit = !row.is_held_out && !row.is_second_mode;
      const std::string group =
          fmt::format("{} {} {} GPUs", system, collective_kind_name(measured.kind), measured.ranks);
      area.rows.push_back({.name = fmt::format("{}, {:.4g} B", group, measured.size.base()),
                           .is_fit = is_fit,
                           .measured = measured.time,
                           .predicted = row.predicted,
                           .baseline = {}});
      baseline.push_back({.group = group,
                          .limit = measured.size / link,
                          .measured = measured.time,
                          .is_fit = is_fit});
    }
  }
  return with_startup_and_rate(std::move(area), baseline);
}

/// Both directions of a row, with the notify phase.
void add_transfers(const ExpertParallelMeasurement& row, const ExpertParallelProfile& profile,
                   bool is_fit, ValidationArea& area, std::vector<BaselineRow>& baseline) {
  const char* mode = row.mode == ExpertParallelModeKind::kNormal ? "normal" : "low latency";
  for (const auto direction : {TransferDirection::kDispatch, TransferDirection::kCombine}) {
    const bool is_dispatch = direction == TransferDirection::kDispatch;
    const TransferTime time = predict(profile, profile.links, row.mode, row.shape, direction);
    const std::string group =
        fmt::format("{} {}, {} GPUs", mode, is_dispatch ? "dispatch" : "combine", row.shape.ranks);
    area.rows.push_back(
        {.name = fmt::format("{}, {} x {}, {} of {}", group, row.shape.tokens_per_rank,
                             row.shape.d_model, row.shape.top_k, row.shape.num_experts),
         .is_fit = is_fit,
         .measured =
             is_dispatch ? row.dispatch + row.dispatch_notify : row.combine + row.combine_notify,
         .predicted = time.total(),
         .baseline = {}});
    const Bytes choices{
        row.shape.tokens_per_rank * row.shape.top_k * row.shape.d_model *
        (is_dispatch ? row.shape.dispatch_bytes_per_element : row.shape.combine_bytes_per_element)};
    baseline.push_back(
        {.group = group,
         .limit = choices / (row.shape.ranks > row.shape.ranks_per_node ? profile.links.scale_out
                                                                        : profile.links.scale_up),
         .measured = area.rows.back().measured,
         .is_fit = is_fit});
  }
}

ValidationArea expert_parallel_area() {
  const LinkMeasurements measurements =
      measurements_of({"deepep_normal_h100.csv", "deepep_ll_h100.csv"});
  const ExpertParallelProfile profile = read_document(
      *link_catalog().load("deepep-h100"),
      [](Section section) { return read_expert_parallel_profile(std::move(section)); });
  const std::vector<bool> is_held_out = held_out_rows(measurements.expert_parallel);
  ValidationArea area{.name = "DeepEP H100", .baseline = "", .rows = {}};
  std::vector<BaselineRow> baseline;
  for (std::size_t i = 0; i < is_held_out.size(); ++i)
    add_transfers(measurements.expert_parallel[i], profile, !is_held_out[i], area, baseline);
  return with_startup_and_rate(std::move(area), baseline);
}

}  // namespace

std::vector<ValidationArea> published_link_areas() {
  return {collective_area(), expert_parallel_area()};
}

}  // namespace switchyard
