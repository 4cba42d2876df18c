#include "sim/cli/link_measurements.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char c : line) {
    if (c == ',')
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
  }
  return fields;
}

constexpr std::size_t kMostProblems = 20;

/// A CSV file being read: the current row's fields by column, and what was wrong so far.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& file) : name_{file.string()}, in_{file} {
    if (!in_) throw ConfigError(fmt::format("{}: cannot read", name_));
    if (!read_line()) throw ConfigError(fmt::format("{}: no header line", name_));
    const std::vector<std::string> header = row_;
    for (std::size_t i = 0; i < header.size(); ++i) columns_[header[i]] = i;
  }

  [[nodiscard]] bool has(const std::string& column) const { return columns_.contains(column); }

  /// @throws ConfigError when one of `columns` is missing.
  void require(const std::vector<std::string>& columns) const {
    std::vector<std::string> missing;
    std::ranges::copy_if(columns, std::back_inserter(missing),
                         [&](const std::string& column) { return !has(column); });
    if (!missing.empty())
      throw ConfigError(fmt::format("{}: missing column(s): {}", name_, fmt::join(missing, ", ")));
  }

  bool next_row() {
    if (!read_line()) return false;
    if (row_.size() != columns_.size()) {
      problem(fmt::format("expected {} fields, got {}", columns_.size(), row_.size()));
      row_.resize(columns_.size());
    }
    return true;
  }

  [[nodiscard]] const std::string& text(const std::string& column) const {
    return row_[columns_.at(column)];
  }

  double number(const std::string& column, double lowest) {
    const std::string& field = text(column);
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error == std::errc{} && end == field.data() + field.size() && std::isfinite(value) &&
        value >= lowest && value <= 1e15)
      return value;
    problem(fmt::format("{}: expected a number of at least {}, got \"{}\"", column, lowest, field));
    return std::max(lowest, 1.0);
  }

  double positive(const std::string& column) {
    const double value = number(column, 0);
    if (value > 0) return value;
    problem(fmt::format("{}: expected more than zero", column));
    return 1.0;
  }

  int count(const std::string& column, int lowest = 1) {
    const double value = number(column, lowest);
    if (value == std::floor(value) && value <= 1e6) return static_cast<int>(value);
    problem(fmt::format("{}: expected a whole number of at most 1000000, got \"{}\"", column,
                        text(column)));
    return lowest;
  }

  void problem(const std::string& what) {
    if (problems_.size() < kMostProblems)
      problems_.push_back(fmt::format("{}:{}: {}", name_, line_, what));
  }

  [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }

  void throw_if_any() const {
    if (!problems_.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems_, "\n")));
  }

 private:
  bool read_line() {
    std::string line;
    while (std::getline(in_, line)) {
      ++line_;
      if (line.starts_with('#')) comments_.push_back(line);
      if (line.empty() || line.front() == '#') continue;
      row_ = fields_of(line);
      return true;
    }
    return false;
  }

  std::string name_;
  std::ifstream in_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> row_;
  int line_ = 0;
  std::vector<std::string> problems_;
  std::vector<std::string> comments_;
};

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
