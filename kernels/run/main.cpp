// switchyard-kernels: runs and measures MoE layers as a file says. See kUsage.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "kernels/comm/mpi_communicator.hpp"
#include "kernels/comm/nccl_communicator.hpp"
#include "kernels/cpu/isa_kernels.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/measure_command.hpp"
#include "kernels/run/measurement_report.hpp"
#include "kernels/run/run_backend.hpp"
#include "kernels/run/run_experiment.hpp"
#include "kernels/run/written_file.hpp"
#include "kernels/train/train.hpp"

namespace switchyard::kernels {
namespace {

constexpr const char* kUsage =
    "usage: switchyard-kernels run FILE [--format table|json] [--out FILE]\n"
    "       switchyard-kernels train FILE [--format table|json] [--out FILE] [--trace FILE.npy]\n"
    "       switchyard-kernels measure [--backend cpu|cuda] [--out FILE.csv] [--budget 3min]\n"
    "                                  [--ranks N] [--threads N] [--transport loopback|mpi|nccl]\n"
    "                                  [--sustained 60s] [--quiet]\n"
    "       switchyard-kernels example run|train   print a file with every key\n"
    "       switchyard-kernels --help | --version\n"
    "\n"
    "run: runs the MoE layers that FILE describes and prints what each part of a step took.\n"
    "train: trains a small stack of them on tokens in clusters; --trace writes who chose what, "
    "for\n"
    "the simulator's routing kind trace.\n"
    "measure: times the operators of layers on this machine for switchyard calibrate --points; a\n"
    "run that was interrupted goes on where it was. With --backend cuda on a GPU; with several, "
    "its\n"
    "ranks' collectives over NCCL. With --sustained each class of operators for that long "
    "instead,\n"
    "with power and clock, into FILE.sustained.csv (at least 10s).\n"
    "Exit status: 0 done, 2 wrong input, a device that is not there or kernels that failed their\n"
    "check (measure times the others), 3 measure was interrupted (the same command goes on),\n"
    "4 a training that numbers which are not finite ended, after its table; 1 anything else.\n"
    "\n"
    "  switchyard-kernels example run > layer.txt && switchyard-kernels run layer.txt\n"
    "  mpirun -np 4 switchyard-kernels run layer.txt      with transport = mpi\n"
    "\n"
    "FILE has a line \"key = value\" for each of its keys; # begins a comment.\n";

/// What the command line asks for.
struct Options {
  std::string file;
  std::string out;
  std::string trace;
  bool as_json = false;
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (word == "--out" && has_value) {
      options.out = arguments[++i];
    } else if (word == "--trace" && has_value) {
      options.trace = arguments[++i];
    } else if (word == "--format" && has_value &&
               (arguments[i + 1] == "json" || arguments[i + 1] == "table")) {
      options.as_json = arguments[++i] == "json";
    } else if (!word.starts_with("-") && options.file.empty()) {
      options.file = word;
    } else {
      return std::nullopt;
    }
  }
  if (options.file.empty()) return std::nullopt;
  return options;
}

/// This process among those of mpirun; "0" without it.
std::string rank_by_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"})
    if (const char* rank = std::getenv(name)) return rank;
  return "0";
}

void put(const Options& options, const std::string& text) {
  if (options.out.empty())
    print(text);
  else
    write_whole_file(options.out, text);
}

/// What does not depend on other ranks, before hours of work.
void require_outputs(const Options& options) {
  if (rank_by_launcher() != "0") return;
  for (const std::string& file : {options.out, options.trace})
    if (!file.empty()) require_writable(file);
}

int run(const Options& options) {
  RunSpec spec = read_run_spec(content_of(options.file), options.file);
  load_choices(options.file, spec);
  require_transport_of_launcher(spec.transport);
  require_outputs(options);
  run_on_transport(spec.transport, num_ranks_of(spec.partition), [&](Communicator& ranks) {
    const RunMeasurement measurement = run_experiment(spec, ranks);
    if (ranks.rank() == 0)
      put(options,
          options.as_json ? measurement_json(measurement) : measurement_table(measurement));
  });
  return 0;
}

int train(const Options& options) {
  const TrainSpec spec = read_train_spec(content_of(options.file), options.file);
  require_transport_of_launcher(spec.transport);
  require_outputs(options);
  std::atomic<bool> has_stopped = false;
  run_on_transport(spec.transport, num_ranks_of(spec.partition), [&](Communicator& ranks) {
    const TrainResult result = train(spec, ranks);
    if (!result.stopped.empty()) has_stopped = true;
    if (ranks.rank() != 0) return;
    put(options, options.as_json ? train_json(result) : train_table(result));
    if (!options.trace.empty()) write_whole_file(options.trace, npy_file(result.trace));
  });
  return has_stopped ? 4 : 0;
}

std::string version() {
  return std::string{"switchyard-kernels "} + SWITCHYARD_KERNELS_VERSION + "\nCPU kernels " +
         isa_kernels().name + "\nMPI " + (has_mpi() ? "yes" : "no") + "\nNCCL " +
         (has_nccl() ? "yes" : "no") + "\nCUDA " +
         (has_cuda() ? "yes, " + std::to_string(num_gpus()) + " GPUs here" : "no") + "\n";
}

int main_of(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (command == "--help") {
    RunSpec run_spec;
    TrainSpec train_spec;
    const std::string help = kUsage + ("\nKeys of run:\n" + help_on_keys(run_keys(run_spec))) +
                             "\nKeys of train:\n" + help_on_keys(train_keys(train_spec));
    print(help);
    return 0;
  }
  if (command == "--version") {
    print(version());
    return 0;
  }
  if (arguments == std::vector<std::string>{"example", "run"}) {
    print(write_run_spec({}));
    return 0;
  }
  if (arguments == std::vector<std::string>{"example", "train"}) {
    print(write_train_spec({}));
    return 0;
  }
  if (command == "measure") return measure_command({arguments.begin() + 1, arguments.end()});
  const bool trains = command == "train";
  const auto options =
      trains || command == "run" ? parse({arguments.begin() + 1, arguments.end()}) : std::nullopt;
  if (!options || (!trains && !options->trace.empty())) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  return trains ? train(*options) : run(*options);
}

/// Ranks that agree on an error all have it, and rank 0 says so. What they did not agree on is said
/// by each that has it.
void say(const std::exception& error, bool is_agreed) {
  const std::string rank = rank_by_launcher();
  if (rank == "0")
    std::fprintf(stderr, "%s\n", error.what());
  else if (!is_agreed)
    std::fprintf(stderr, "rank %s: %s\n", rank.c_str(), error.what());
}

}  // namespace
}  // namespace switchyard::kernels

int main(int argc, char** argv) {
  using namespace switchyard::kernels;
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);  // writing past a limit on files fails, which is said
#endif
  try {
    return main_of({argv + 1, argv + argc});
  } catch (const KeyFileError& error) {
    say(error, false);
    return 2;
  } catch (const KernelError& error) {
    say(error, error.fault() != Fault::kTransport);
    return error.fault() == Fault::kSpec || error.fault() == Fault::kDevice ? 2 : 1;
  } catch (const std::exception& error) {
    say(error, false);
    return 1;
  }
}
