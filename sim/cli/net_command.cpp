#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "cost_models/expert_parallel.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/load_system.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/net_request.hpp"
#include "sim/cli/progress.hpp"
#include "sim/core/error.hpp"
#include "sim/core/random.hpp"
#include "sim/core/units_format.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/network_report.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct NetOptions {
  CollectiveKind kind = CollectiveKind::kAllToAll;
  std::vector<std::string> systems;
  std::vector<std::string> overrides;
  std::vector<std::string> sizes;
  std::vector<std::string> algorithms = {"auto"};
  std::vector<std::string> engines = {"fluid"};
  std::string ranks;
  int group_size = 0;  ///< 0: one group
  int stride = 1;
  double sigma = 0;
  int top_k = 0;    ///< experts of a token; 0: how tokens repeat is not known
  int experts = 0;  ///< over all ranks of a group
  std::uint64_t seed = 1;
  std::string format = "table";
  std::string out;
  int jobs = 0;
  bool exact = false;
  bool timing = false;
  bool quiet = false;
};

/// A row to be: what is asked of which engine.
struct Question {
  std::size_t system = 0;
  CollectiveRequest request;
  EngineKind engine = EngineKind::kFluid;
};

/// Processor time of this process and of the children that it waited for.
Seconds cpu_time() {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    sum += seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return Seconds{sum};
}

/// Log-normal bytes between the places of each group, with the mean that `size` gives every pair.
std::vector<Eigen::MatrixXd> drawn_traffic(const std::vector<RankGroup>& groups, Bytes size,
                                           double sigma, std::uint64_t seed) {
  std::vector<Eigen::MatrixXd> traffic;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto n = static_cast<Eigen::Index>(groups[g].size());
    auto rng = stream_engine(seed, {g});
    const double pair = size.base() / static_cast<double>(n);
    Eigen::MatrixXd bytes{n, n};
    for (Eigen::Index row = 0; row < n; ++row)
      for (Eigen::Index column = 0; column < n; ++column)
        bytes(row, column) = pair * std::exp(sigma * standard_normal(rng) - sigma * sigma / 2);
    traffic.push_back(std::move(bytes));
  }
  return traffic;
}

/// How often a token goes to several ranks of a node, from top-k of uniform routing.
std::optional<TokenDeduplication> deduplication(const NetOptions& options,
                                                const std::vector<RankGroup>& groups,
                                                const Topology& topology) {
  if (options.top_k == 0 && options.experts == 0) return std::nullopt;
  const auto ranks = static_cast<int>(groups.front().size());
  std::set<int> nodes;
  for (const RankId rank : groups.front()) nodes.insert(topology.scale_up_domain[rank.index()]);
  const int num_nodes = static_cast<int>(nodes.size());
  if (options.top_k < 1 || options.experts < options.top_k || options.experts % ranks != 0 ||
      ranks % num_nodes != 0)
    throw ConfigError(fmt::format(
        "--top-k, --experts: expected both, with experts a multiple of the {} ranks of a group (on "
        "{} nodes) and at least top-k, got {} and {}",
        ranks, num_nodes, options.top_k, options.experts));
  return TokenDeduplication{
      .ranks_per_node = expected_distinct_groups(ranks, options.experts, options.top_k) /
                        expected_distinct_groups(num_nodes, options.experts, options.top_k)};
}

NetworkRow answer(const Question& question, const System& system, const Topology& topology,
                  const NetOptions& options) {
  const std::vector<RankGroup> groups = resolved_groups(question.request, topology);
  CollectiveRequest request = question.request;
  if (options.sigma > 0)
    request.traffic = drawn_traffic(groups, request.size, options.sigma, options.seed);
  if (request.kind == CollectiveKind::kAllToAll)
    request.deduplication = deduplication(options, groups, topology);
  if (request.algorithm == CollectiveAlgorithm::kTwoLevelDeduplicated && !request.deduplication)
    throw ConfigError(
        "--algorithm two-level-deduplicated: needs --top-k and --experts, which say how often a "
        "token goes to several ranks of a node");
  NetworkRow row{.system = system.name,
                 .num_ranks = num_ranks(topology),
                 .num_groups = static_cast<int>(groups.size()),
                 .group_size = static_cast<int>(groups.front().size()),
                 .kind = request.kind,
                 .size = request.size,
                 .lognormal_sigma = options.sigma,
                 .chosen_by_auto = request.algorithm == CollectiveAlgorithm::kAuto,
                 .engine = question.engine,
                 .result = {},
                 .cpu_time = {}};
  const Seconds before = cpu_time();
  row.result = simulate_collective({.engine = question.engine, .may_group = !options.exact},
                                   request, topology, system.collectives);
  if (options.timing) row.cpu_time = cpu_time() - before;
  return row;
}

/// SimGrid's time grows with the square of the flows under way at once.
void warn_of_simgrid(const Topology& topology, const std::string& name) {
  constexpr int kManyRanks = 144;
  if (num_ranks(topology) > kManyRanks)
    spdlog::warn(
        "simgrid with the {} ranks of {} can take minutes to hours; fluid gives the same "
        "times",
        num_ranks(topology), name);
}

void net(const NetOptions& options) {
  std::vector<System> systems;
  std::vector<Topology> topologies;
  for (const std::string& name : options.systems) {
    systems.push_back(load_system(name, options.overrides, "net"));
    topologies.push_back(build_topology(systems.back().network));
  }
  const std::vector<Bytes> sizes = parse_sizes(options.sizes);
  const auto algorithms = parse_algorithms(options.kind, options.algorithms);
  const std::vector<EngineKind> engines = parse_engines(options.engines);

  std::vector<Question> questions;
  for (std::size_t s = 0; s < topologies.size(); ++s) {
    const std::vector<RankGroup> groups =
        parse_groups(options.ranks, options.group_size, options.stride, num_ranks(topologies[s]));
    for (const Bytes size : sizes)
      for (const CollectiveAlgorithm algorithm : algorithms)
        for (const EngineKind engine : engines)
          questions.push_back({.system = s,
                               .request = {.kind = options.kind,
                                           .algorithm = algorithm,
                                           .size = size,
                                           .groups = groups},
                               .engine = engine});
    if (!options.quiet && std::ranges::find(engines, EngineKind::kSimGrid) != engines.end())
      warn_of_simgrid(topologies[s], options.systems[s]);
  }

  constexpr double kManyPairs = 500'000;
  for (std::size_t s = 0; s < topologies.size() && !options.quiet; ++s)
    if (options.sigma > 0 && std::pow(num_ranks(topologies[s]), 2) > kManyPairs)
      spdlog::info("{}: {} messages of different sizes take about {:.0f} s a row",
                   options.systems[s], num_ranks(topologies[s]) * (num_ranks(topologies[s]) - 1),
                   8e-6 * std::pow(num_ranks(topologies[s]), 2));

  NetworkReport report{.seed = options.seed, .rows = std::vector<NetworkRow>(questions.size())};
  Progress progress{questions.size(), options.quiet};
  // Processor times are of the whole process, so one row at a time where they are asked for.
  for_each_index(questions.size(), options.timing ? 1 : options.jobs, [&](std::size_t i) {
    const std::size_t system = questions[i].system;
    report.rows[i] = answer(questions[i], systems[system], topologies[system], options);
    progress.finished(fmt::format("{} {}", options.systems[system],
                                  algorithm_name(questions[i].request.algorithm)));
  });

  if (!options.out.empty()) {
    write_files_atomically(
        options.out, {{"net.csv", [&](std::ostream& out) { out << to_csv(report); }},
                      {"net.json", [&](std::ostream& out) { out << json_text(to_json(report)); }}});
    if (!options.quiet)
      fmt::print(stderr, "wrote net.csv and net.json to {}; plots/net.py draws net.csv\n",
                 options.out);
  }
  if (options.format == "json")
    fmt::print("{}", json_text(to_json(report)));
  else if (options.format == "csv")
    fmt::print("{}", to_csv(report));
  else
    fmt::print("{}", format_table(report));
}

void add_options(CLI::App& command, const std::shared_ptr<NetOptions>& options) {
  command
      .add_option("--system", options->systems,
                  "Systems of the catalog or YAML files, separated by commas")
      ->delimiter(',')
      ->required();
  command
      .add_option("--set", options->overrides,
                  "Change a key of the systems: cluster.nodes=8; repeatable")
      ->allow_extra_args(false);
  command
      .add_option("--bytes", options->sizes,
                  "Size S as nccl-tests counts it: \"64 MiB\", a list \"1 MiB,4 MiB\", or powers "
                  "of two \"1 KiB..1 GiB\"")
      ->delimiter(',')
      ->required();
  std::string names = "auto";
  for (const CollectiveAlgorithm algorithm : algorithms_of(options->kind))
    names += fmt::format(", {}", algorithm_name(algorithm));
  command.add_option("--algorithm", options->algorithms, "One or more of: " + names)
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--engine", options->engines, "One or more of: fluid, analytic, simgrid")
      ->delimiter(',')
      ->capture_default_str();
  command
      .add_option("--ranks", options->ranks,
                  "Ranks that take part: \"0-15\" or \"0,2,4-7\" (default: all)")
      ->check([](const std::string& text) {
        return text.empty() ? "expected ranks such as \"0-15\"" : "";
      });
  command
      .add_option("--group-size", options->group_size,
                  "Cut the ranks into groups of this size, all at once (default: one group)")
      ->check(CLI::Range(1, 65536));
  command
      .add_option("--stride", options->stride,
                  "Distance between the ranks of a group: 8 makes groups 0, 8, 16, ...")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  if (options->kind == CollectiveKind::kAllToAll)
    command
        .add_option("--lognormal-sigma", options->sigma,
                    "All-to-all-v: spread of independent bytes between pairs, 0 is uniform")
        ->check(CLI::Range(0.0, 4.0))
        ->check([](const std::string& text) {
          return text.find_first_of("nN") == std::string::npos ? "" : "expected a number";
        })
        ->capture_default_str();
  if (options->kind == CollectiveKind::kAllToAll) {
    command.add_option(
        "--top-k", options->top_k,
        "Experts of a token: S counts a token once for each rank that it goes to, and "
        "two-level-deduplicated sends it once to each node");
    command.add_option("--experts", options->experts, "Experts over the ranks of a group");
  }
  command.add_option("--seed", options->seed, "Seed of what is drawn")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--format", options->format, "What is printed")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  command.add_option("--out", options->out, "Folder for net.csv and net.json")
      ->each([](const std::string& folder) { check_output_folder(folder); });
  command.add_option("--jobs", options->jobs, "Rows at a time (default: one per core)")
      ->check(CLI::Range(1, 1024));
  command.add_flag("--exact", options->exact,
                   "Never group flows: the end of every flow by itself, however many there are");
  command.add_flag("--timing", options->timing,
                   "Also the processor time of each row; its output differs from run to run");
  command.add_flag("--quiet", options->quiet, "No progress and no notes");
  command.footer(fmt::format(
      "Example: switchyard net {0} --system tpu-v3-128 --bytes \"64 MiB\" --engine fluid,analytic\n"
      "         switchyard net {0} --system dgx-h100-x4 --bytes \"1 KiB..1 GiB\" --out out/net",
      kind_name(options->kind)));
}

}  // namespace

void add_net(CLI::App& program) {
  auto* net_command = program.add_subcommand(
      "net", "Time a collective on a network: algorithms, sizes and engines side by side");
  net_command->require_subcommand(1);
  net_command->footer(
      "Example: switchyard net all-to-all --system tpu-v3-2048 --bytes \"64 MiB\" "
      "--algorithm direct,torus --engine analytic,fluid");
  const std::pair<CollectiveKind, const char*> kinds[] = {
      {CollectiveKind::kAllToAll,
       "Every rank sends S / n to every rank (MoE dispatch and combine)"},
      {CollectiveKind::kAllReduce, "Every rank gets the sum of all buffers of S"},
      {CollectiveKind::kAllGather, "Every rank gets all parts of S / n"},
      {CollectiveKind::kReduceScatter, "Every rank gets its S / n of the sum"},
      {CollectiveKind::kPointToPoint, "The first rank sends S to the last"}};
  for (const auto& [kind, description] : kinds) {
    const auto options = std::make_shared<NetOptions>();
    options->kind = kind;
    auto* command = net_command->add_subcommand(std::string{kind_name(kind)}, description);
    add_options(*command, options);
    command->callback([options] { net(*options); });
  }
}

}  // namespace switchyard
