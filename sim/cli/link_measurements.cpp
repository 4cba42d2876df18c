#include "sim/cli/link_measurements.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "sim/cli/csv_reader.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

Seconds microseconds(double number) { return Seconds{number / 1e6}; }
BytesPerSecond gigabytes_per_second(double number) { return BytesPerSecond{number * 1e9}; }

void add_collectives(CsvReader& csv, std::vector<CollectiveMeasurement>& rows) {
  csv.require({"system", "nccl_version", "op_name", "num_gpus", "bytes", "latency_us"});
  static const std::map<std::string, CollectiveKind> kKinds{
      {"alltoall", CollectiveKind::kAllToAll},
      {"all_reduce", CollectiveKind::kAllReduce},
      {"all_gather", CollectiveKind::kAllGather},
      {"reduce_scatter", CollectiveKind::kReduceScatter}};
  std::set<std::tuple<std::string, CollectiveKind, int, double>> known;
  while (csv.next_row()) {
    const auto kind = kKinds.find(csv.text("op_name"));
    if (kind == kKinds.end()) {
      csv.problem(fmt::format(
          "op_name: expected one of all_gather, all_reduce, alltoall, reduce_scatter, got \"{}\"",
          csv.text("op_name")));
      continue;
    }
    const CollectiveMeasurement row{.system = csv.text("system"),
                                    .library = "NCCL " + csv.text("nccl_version"),
                                    .kind = kind->second,
                                    .ranks = csv.count("num_gpus", 2),
                                    .size = Bytes{csv.positive("bytes")},
                                    .time = microseconds(csv.positive("latency_us"))};
    if (!known.insert({row.system, row.kind, row.ranks, row.size.base()}).second)
      csv.problem("the same system, op_name, num_gpus and bytes as a line above");
    rows.push_back(row);
  }
}

ExpertParallelShape read_shape(CsvReader& csv) {
  ExpertParallelShape shape;
  shape.ranks = csv.count("gpus");
  shape.d_model = csv.count("hidden");
  shape.top_k = csv.count("topk");
  shape.num_experts = csv.count("experts");
  shape.tokens_per_rank = csv.number("tokens_per_rank", 0);
  if (shape.ranks > shape.ranks_per_node && shape.ranks % shape.ranks_per_node != 0)
    csv.problem(
        fmt::format("gpus: expected whole nodes of {}, got {}", shape.ranks_per_node, shape.ranks));
  else if (shape.num_experts % shape.ranks != 0 || shape.top_k > shape.num_experts)
    csv.problem(fmt::format("experts: expected a multiple of {} GPUs and at least {}, got {}",
                            shape.ranks, shape.top_k, shape.num_experts));
  return shape;
}

void add_expert_parallel(CsvReader& csv, ExpertParallelModeKind mode,
                         std::vector<ExpertParallelMeasurement>& rows) {
  const bool is_normal = mode == ExpertParallelModeKind::kNormal;
  const std::string phase = is_normal ? "_transmit_us" : "_us";
  csv.require({"system", "framework", "gpus", "hidden", "topk", "experts", "tokens_per_rank",
               "dispatch" + phase, "combine" + phase});
  if (is_normal) csv.require({"dispatch_sms", "dispatch_notify_us", "combine_notify_us"});
  while (csv.next_row()) {
    ExpertParallelMeasurement row{.system = csv.text("system"),
                                  .library = "DeepEP as in " + csv.text("framework"),
                                  .mode = mode,
                                  .shape = read_shape(csv),
                                  .dispatch = microseconds(csv.positive("dispatch" + phase)),
                                  .dispatch_notify = {},
                                  .combine = microseconds(csv.positive("combine" + phase)),
                                  .combine_notify = {}};
    if (is_normal) {
      row.shape.communication_sms = csv.count("dispatch_sms");
      const bool has_notify = row.shape.ranks > row.shape.ranks_per_node;
      const auto notify = [&](const std::string& column) {
        return microseconds(has_notify ? csv.positive(column) : csv.number(column, 0));
      };
      row.dispatch_notify = notify("dispatch_notify_us");
      row.combine_notify = notify("combine_notify_us");
    }
    rows.push_back(row);
  }
}

void add_published(CsvReader& csv, std::vector<PublishedTransfer>& rows) {
  csv.require({"id", "system", "mode", "gpus", "hidden", "topk", "experts", "limited_nodes",
               "tokens_per_rank", "sms", "nvlink_GBps", "nvlink_usable_GBps", "nic_GBps",
               "dispatch", "combine", "unit"});
  while (csv.next_row()) {
    PublishedTransfer row{
        .id = csv.text("id"), .system = csv.text("system"), .shape = read_shape(csv), .links = {}};
    row.mode = csv.text("mode") == "normal" ? ExpertParallelModeKind::kNormal
                                            : ExpertParallelModeKind::kLowLatency;
    row.shape.limited_nodes = csv.count("limited_nodes", 0);
    row.shape.communication_sms = csv.count("sms");
    if (row.shape.limited_nodes > std::max(1, row.shape.ranks / row.shape.ranks_per_node))
      csv.problem("limited_nodes: expected at most the number of nodes");
    row.links = {.scale_up = gigabytes_per_second(csv.positive("nvlink_GBps")),
                 .scale_up_usable = gigabytes_per_second(csv.positive("nvlink_usable_GBps")),
                 .scale_out = gigabytes_per_second(csv.positive("nic_GBps"))};
    row.is_bandwidth = csv.text("unit") == "GB/s";
    row.dispatch = csv.positive("dispatch");
    row.combine = csv.positive("combine");
    rows.push_back(row);
  }
}

}  // namespace

void add_link_measurements(const std::filesystem::path& file, LinkMeasurements& measurements) {
  CsvReader csv{file};
  if (csv.has("id"))
    add_published(csv, measurements.published);
  else if (csv.has("nccl_version"))
    add_collectives(csv, measurements.collectives);
  else if (csv.has("dispatch_sms"))
    add_expert_parallel(csv, ExpertParallelModeKind::kNormal, measurements.expert_parallel);
  else if (csv.has("dispatch_GBps"))
    add_expert_parallel(csv, ExpertParallelModeKind::kLowLatency, measurements.expert_parallel);
  else
    throw ConfigError(fmt::format(
        "{}: expected a column nccl_version, dispatch_sms, dispatch_GBps or id, which says what "
        "was measured",
        file.string()));
  csv.throw_if_any();
  std::ranges::copy(csv.comments(), std::back_inserter(measurements.comments));
}

}  // namespace switchyard
