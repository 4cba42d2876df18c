#include "sim/cli/calibration/measure_points.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "kernels/comm/mpi_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/measure_command.hpp"
#include "kernels/run/sustained_command.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  folders += ':';
  for (std::size_t begin = 0, end = 0; (end = folders.find(':', begin)) != std::string::npos;
       begin = end + 1) {
    const fs::path file = fs::path{folders.substr(begin, end - begin)} / program;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

/// switchyard-kernels beside this program: installed, or as it was built.
std::optional<fs::path> kernels_program() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& file :
       {folder / "switchyard-kernels", folder / "kernels" / "switchyard-kernels"})
    if (access(file.c_str(), X_OK) == 0) return file;
  return on_path("switchyard-kernels");
}

/// Runs a program and waits for it. @returns its exit status, 127 where it did not start
int status_of(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    // As root, as in containers, Open MPI runs only when told to.
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    execv(arguments.front(), arguments.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return 127;
  return WEXITSTATUS(status);
}

constexpr double kMpiShare = 0.12;  // of the budget

/// Nothing where MPI is not to be had: loopback ranks are measured all the same.
std::optional<fs::path> measure_over_mpi(const MeasureOptions& options, double budget_s) {
  const auto mpirun = on_path("mpirun");
  const auto program = kernels_program();
  const fs::path file = options.folder / "points_mpi.csv";
  const auto skipped = [](std::string_view why) {
    fmt::print(stderr, "collectives over MPI were not measured: {}\n", why);
    return std::nullopt;
  };
  if (!kernels::has_mpi()) return skipped("this build has no MPI");
  if (!mpirun) return skipped("there is no mpirun on the PATH");
  if (!program) return skipped("switchyard-kernels is neither beside switchyard nor on the PATH");
  const std::string ranks = fmt::format("{}", options.ranks);
  std::vector<std::string> command{mpirun->string(),
                                   "--oversubscribe",
                                   "-np",
                                   ranks,
                                   program->string(),
                                   "measure",
                                   "--transport",
                                   "mpi",
                                   "--ranks",
                                   ranks,
                                   "--threads",
                                   fmt::format("{}", options.threads),
                                   "--budget",
                                   fmt::format("{}s", kMpiShare * budget_s),
                                   "--out",
                                   file.string()};
  if (options.is_quiet) command.emplace_back("--quiet");
  const int status = status_of(command);
  constexpr int kInterrupted = 3;  // of switchyard-kernels measure
  if (status == kInterrupted || status == 128 + SIGINT || kernels::stopped_by_signal())
    throw ConfigError(
        fmt::format("interrupted; what was measured is in {}, and the same command goes on there",
                    file.string()));
  if (status != 0)
    return skipped(fmt::format("\"{}\" ended with {}", fmt::join(command, " "), status));
  return file;
}

}  // namespace

std::vector<fs::path> measure_points(const MeasureOptions& options) {
  try {
    const double budget_s = kernels::duration_of(options.budget);
    if (!options.sustained.empty())
      static_cast<void>(kernels::duration_of(options.sustained));  // before minutes of measuring
    const bool has_mpi_share = options.ranks > 1 && !options.is_cuda;
    const auto device =
        options.is_cuda ? kernels::MeasureDevice::kCuda : kernels::MeasureDevice::kCpu;
    const kernels::MeasurePlan plan{.budget_s = (has_mpi_share ? 1.0 - kMpiShare : 1.0) * budget_s,
                                    .threads = options.threads,
                                    .ranks = options.is_cuda ? 1 : options.ranks};
    const fs::path file = options.folder / "points.csv";
    if (options.is_cuda) kernels::require_measurable(device);
    std::error_code refused;
    fs::create_directories(options.folder, refused);
    if (refused)
      throw ConfigError(fmt::format("--out: {}: {}", options.folder.string(), refused.message()));
    const kernels::MeasureResult result =
        kernels::measure_and_tell({.device = device,
                                   .plan = plan,
                                   .file = file.string(),
                                   .software = kernels::software_text()},
                                  options.is_quiet);
    const auto interrupted = [](const std::string& where) {
      return ConfigError(fmt::format(
          "interrupted; what was measured is in {}, and the same command goes on there", where));
    };
    if (result.was_stopped) throw interrupted(file.string());
    if (!options.sustained.empty()) {
      const std::string rows = kernels::sustained_file_of(file.string());
      if (kernels::sustain_and_tell({.device = device,
                                     .plan = plan,
                                     .seconds = kernels::duration_of(options.sustained),
                                     .file = rows,
                                     .software = kernels::software_text()},
                                    options.is_quiet)
              .was_stopped)
        throw interrupted(rows);
    }
    std::vector<fs::path> files{file};
    if (has_mpi_share)
      if (const auto over_mpi = measure_over_mpi(options, budget_s)) files.push_back(*over_mpi);
    return files;
  } catch (const kernels::KernelError& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace switchyard
