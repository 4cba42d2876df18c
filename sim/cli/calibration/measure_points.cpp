#include "sim/cli/calibration/measure_points.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/comm/mpi_communicator.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/run/measure_command.hpp"
#include "kernels/run/sustained_command.hpp"
#include "sim/cli/calibration/child_program.hpp"
#include "sim/cli/interrupted.hpp"
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

/// SIGINT and SIGTERM do again what they did before, once it is gone.
class SignalsGivenBack {
 public:
  SignalsGivenBack() {
    sigaction(SIGINT, nullptr, &interrupt_);
    sigaction(SIGTERM, nullptr, &terminate_);
  }
  ~SignalsGivenBack() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  SignalsGivenBack(const SignalsGivenBack&) = delete;
  SignalsGivenBack& operator=(const SignalsGivenBack&) = delete;

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

Interrupted interrupted(const std::string& file) {
  return Interrupted{fmt::format(
      "interrupted; what was measured is in {}, and the same command goes on there", file)};
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
  const std::vector<std::string> command{mpirun->string(),
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
                                         file.string(),
                                         "--quiet"};  // this program says that it was interrupted
  const int status = status_of_child(command, kernels::stopped_by_signal());
  if (status == kernels::kInterruptedStatus || status == 128 + SIGINT ||
      kernels::stopped_by_signal())
    throw interrupted(file.string());
  if (status != 0)
    return skipped(fmt::format("\"{}\" ended with {}", fmt::join(command, " "), status));
  return file;
}

}  // namespace

MeasuredFiles measure_points(const MeasureOptions& options) {
  const SignalsGivenBack signals;
  try {
    const double budget_s = kernels::duration_of(options.budget);
    if (!options.sustained.empty())
      static_cast<void>(kernels::sustained_duration_of(options.sustained));  // before minutes
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
    MeasuredFiles measured{
        .files = {file}, .failed_checks = {}, .folder = kernels::FileLock{options.folder.string()}};
    const kernels::MeasureResult result =
        kernels::measure_and_tell({.device = device,
                                   .plan = plan,
                                   .file = file.string(),
                                   .software = kernels::software_text()},
                                  options.is_quiet);
    if (result.was_stopped) throw interrupted(file.string());
    measured.failed_checks = result.failed_checks;
    if (!options.sustained.empty()) {
      const std::string rows = kernels::sustained_file_of(file.string());
      const kernels::SustainedResult sustained =
          kernels::sustain_and_tell({.device = device,
                                     .plan = plan,
                                     .seconds = kernels::sustained_duration_of(options.sustained),
                                     .file = rows,
                                     .software = kernels::software_text()},
                                    options.is_quiet);
      if (sustained.was_stopped) throw interrupted(rows);
      std::ranges::copy(sustained.failed_checks, std::back_inserter(measured.failed_checks));
    }
    if (has_mpi_share)
      if (const auto over_mpi = measure_over_mpi(options, budget_s))
        measured.files.push_back(*over_mpi);
    if (kernels::stopped_by_signal()) throw interrupted(file.string());
    return measured;
  } catch (const kernels::KernelError& error) {
    throw ConfigError(error.what());
  }
}

void refuse_failed_checks(const std::vector<std::string>& failed_checks) {
  if (failed_checks.empty()) return;
  throw ConfigError(
      fmt::format("kernels that failed their check were not timed, and the profile is without "
                  "them:\n  {}",
                  fmt::join(failed_checks, "\n  ")));
}

}  // namespace switchyard
