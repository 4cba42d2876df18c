#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/ranks/partition.hpp"
#include "kernels/run/run_experiment.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/execute_report.hpp"
#include "sim/cli/execute_training.hpp"
#include "sim/cli/experiment.hpp"
#include "sim/cli/layer_run.hpp"
#include "sim/cli/progress.hpp"
#include "sim/core/error.hpp"
#include "sim/engine/stack_routing.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct ExecuteOptions {
  std::string file;
  ExecuteTrainingOptions train;
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

/// The prediction for the draw that layer_run() gives to the kernels.
/// @param layers  that are run; 0: all
ExecutedCase predicted_case(const ExperimentCase& c, int layers) {
  const TrainingStepSpec step = resolve_microbatch(c.run);
  const bool is_permuted = step.lowering.dispatch == DispatchKind::kPermutation;
  const StepDraw draw =
      draw_step(step, {.routing = c.run.routing, .seed = c.run.seed, .with_rows = is_permuted}, 0);
  ExecutedCase executed{
      .name = c.name, .predicted = moe_phase_times(c.run, draw.layers), .measured = {}};
  // A draw counts its drops over the whole stack.
  if (layers == 0 || layers == executed.predicted.num_layers)
    executed.predicted_dropped_fraction = draw.stacks.front().dropped_fraction;
  return executed;
}

void export_spec(const std::string& file, kernels::RunSpec spec) {
  const std::filesystem::path path{file};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  spec.trace_file = path.filename().string() + ".npy";
  write_files_atomically(
      folder,
      {{path.filename().string(), [&](std::ostream& out) { out << kernels::write_run_spec(spec); }},
       {spec.trace_file, [&](std::ostream& out) { out << kernels::npy_file(*spec.choices); }}});
  const int ranks = kernels::num_ranks_of(spec.partition);
  const bool is_loopback = spec.transport == kernels::Transport::kLoopback;
  fmt::print(stderr, "wrote {}; run it with: {}switchyard-kernels run {}\n", file,
             is_loopback ? "" : fmt::format("mpirun -np {} ", ranks), file);
}

void execute_command(const ExecuteOptions& options) {
  if (options.file.empty() == options.train.file.empty())
    throw ConfigError(fmt::format(
        "expected an experiment file or --train with a file of keys, got {}",
        options.file.empty() ? "neither: switchyard execute --help has examples" : "both"));
  if (!options.train.file.empty()) {
    ExecuteTrainingOptions train = options.train;
    train.format = options.format;
    train.out = options.out;
    train.quiet = options.quiet;
    execute_training(train);
    return;
  }
  if (!options.out.empty()) check_output_folder(options.out);
  const Experiment experiment = load_experiment(options.file, options.overrides);
  const std::vector<ExperimentCase> cases = chosen_cases(experiment, options.one_case);
  std::vector<ExecutedCase> executed;
  std::vector<kernels::RunSpec> specs;
  for (const ExperimentCase& c : cases) {
    specs.push_back(layer_run(c.name, c.run, options.run));
    executed.push_back(predicted_case(c, options.run.layers));
    executed.back().slowdown = slowdown(specs.back());
    executed.back().speed = speed_of(c.run.system);
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
      "execute", "Run MoE layers, or a small training, for real and compare with the prediction");
  command->footer(
      "Example: switchyard execute experiments/execute.yaml\n"
      "         switchyard execute experiments/execute.yaml --case expert+data --export run.txt "
      "--transport mpi\n"
      "         mpirun -np 4 switchyard-kernels run run.txt\n"
      "         switchyard execute --train experiments/train.txt");
  command->add_option("file", options->file, "Experiment file (YAML)");
  auto* train = command->add_option(
      "--train", options->train.file,
      "Instead: train the stack of this file (keys: switchyard-kernels --help) and compare its "
      "routing with the simulator's");
  command->add_option("--trace", options->train.trace_file, "Of --train: write its choices (.npy)")
      ->needs(train);
  command->add_option("--samples", options->train.samples, "Of --train: draws of a prediction")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->needs(train);
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
  for (const char* name : {"--set", "--case", "--export", "--steps", "--warmup", "--layers",
                           "--threads", "--forward", "--backend", "--transport"})
    command->get_option(name)->excludes(train);
  command->add_flag("--quiet", options->quiet, "No progress");
  command->callback([options] { execute_command(*options); });
}

}  // namespace switchyard
