#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/run_experiment.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/execute_report.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/layer_run.hpp"
#include "sim/cli/progress.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct ExecuteOptions {
  std::string file;
  std::vector<std::string> overrides;
  std::string one_case;
  std::string export_file;
  std::string format = "table";
  std::string out;
  LayerRunOptions run;
  bool quiet = false;
};

std::vector<ExperimentCase> chosen_cases(const Experiment& experiment, const std::string& name) {
  if (name.empty()) return experiment.cases;
  const auto found = std::ranges::find(experiment.cases, name, &ExperimentCase::name);
  if (found != experiment.cases.end()) return {*found};
  std::vector<std::string> names;
  for (const ExperimentCase& c : experiment.cases) names.push_back(c.name);
  throw ConfigError(
      fmt::format("--case: there is no \"{}\"; there are: {}", name, fmt::join(names, ", ")));
}

kernels::RunMeasurement measure(const kernels::RunSpec& spec) {
  kernels::RunMeasurement measured;
  const int ranks = spec.partition.data * spec.partition.tensor;
  try {
    kernels::run_on_transport(spec.transport, ranks, [&](kernels::Communicator& communicator) {
      kernels::RunMeasurement of_rank = kernels::run_experiment(spec, communicator);
      if (communicator.rank() == 0) measured = std::move(of_rank);
    });
  } catch (const kernels::KernelError& error) {
    throw ConfigError(error.what());
  }
  return measured;
}

/// How much slower ranks compute that share cores: predictions are of a core for each.
double slowdown(const kernels::RunSpec& spec) {
  const double threads = spec.threads * spec.partition.data * spec.partition.tensor;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1.0 : std::max(1.0, threads / cores);
}

void export_spec(const std::string& file, const kernels::RunSpec& spec) {
  const std::filesystem::path path{file};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  write_files_atomically(folder, {{path.filename().string(), [&spec](std::ostream& out) {
                                     out << kernels::write_run_spec(spec);
                                   }}});
  fmt::print(stderr, "wrote {}; run it with: switchyard-kernels run {}\n", file, file);
}

void execute_command(const ExecuteOptions& options) {
  if (!options.out.empty()) check_output_folder(options.out);
  const Experiment experiment = load_experiment(options.file, options.overrides);
  const std::vector<ExperimentCase> cases = chosen_cases(experiment, options.one_case);
  std::vector<ExecutedCase> executed;
  std::vector<kernels::RunSpec> specs;
  for (const ExperimentCase& c : cases) {
    executed.push_back({.name = c.name, .predicted = {}, .slowdown = 1.0, .measured = {}});
    if (is_moe(c.run.step.model)) executed.back().predicted = moe_phase_times(c.run);
    specs.push_back(layer_run(c.name, c.run, executed.back().predicted.num_layers, experiment.seed,
                              options.run));
    executed.back().slowdown = slowdown(specs.back());
  }
  if (!options.export_file.empty()) {
    if (specs.size() != 1)
      throw ConfigError("--export: the experiment has several cases; choose one with --case");
    export_spec(options.export_file, specs.front());
    return;
  }
  Progress progress{cases.size(), options.quiet};
  for (std::size_t i = 0; i < specs.size(); ++i) {
    executed[i].measured = measure(specs[i]);
    progress.finished(cases[i].name);
  }
  const std::string json = execute_json(executed).dump(2) + "\n";
  if (!options.out.empty())
    write_files_atomically(options.out,
                           {{"execute.json", [&json](std::ostream& out) { out << json; }}});
  fmt::print("{}", options.format == "json" ? json : execute_tables(executed));
}

}  // namespace

void add_execute(CLI::App& program) {
  const auto options = std::make_shared<ExecuteOptions>();
  auto* command = program.add_subcommand(
      "execute", "Run an experiment's MoE layers for real and compare with the prediction");
  command->footer(
      "Example: switchyard execute experiments/execute.yaml\n"
      "         switchyard execute experiments/execute.yaml --case expert+data --export run.txt "
      "--transport mpi\n"
      "         mpirun -np 4 switchyard-kernels run run.txt");
  command->add_option("file", options->file, "Experiment file (YAML)")->required();
  command->add_option("--set", options->overrides, "Change a field: path=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--case", options->one_case, "Only this case");
  auto* export_option =
      command->add_option("--export", options->export_file,
                          "Write the case for switchyard-kernels on a bare node, and run nothing");
  command->add_option("--steps", options->run.steps, "Measured steps")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--warmup", options->run.warmup, "Steps before")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--layers", options->run.layers, "MoE layers (default: all of the stack)")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--threads", options->run.threads, "Threads of each rank")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--forward", options->run.forward_only, "Forward only");
  const std::map<std::string, kernels::BackendChoice> backends{
      {"cpu", kernels::BackendChoice::kCpu},
      {"cuda", kernels::BackendChoice::kCuda},
      {"auto", kernels::BackendChoice::kAuto}};
  command->add_option("--backend", options->run.backend, "cpu, cuda or auto (default)")
      ->transform(CLI::CheckedTransformer(backends));
  const std::map<std::string, kernels::Transport> transports{
      {"loopback", kernels::Transport::kLoopback},
      {"mpi", kernels::Transport::kMpi},
      {"nccl", kernels::Transport::kNccl}};
  command
      ->add_option("--transport", options->run.transport,
                   "Of an exported run: loopback (threads, default), mpi or nccl")
      ->transform(CLI::CheckedTransformer(transports))
      ->needs(export_option);
  command->add_option("--format", options->format, "What is printed")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "Folder for execute.json");
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options] { execute_command(*options); });
}

}  // namespace switchyard
