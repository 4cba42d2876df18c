#include "sim/cli/execute_training.hpp"

#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "kernels/comm/transport.hpp"
#include "kernels/layer/kernel_error.hpp"
#include "kernels/train/train.hpp"
#include "sim/cli/compare_training.hpp"
#include "sim/cli/progress.hpp"
#include "sim/cli/training_report.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

kernels::TrainSpec read_spec(const std::string& file) {
  try {
    return kernels::read_train_spec(kernels::content_of(file), file);
  } catch (const kernels::KeyFileError& error) {
    throw ConfigError(error.what());
  }
}

kernels::TrainResult trained(const kernels::TrainSpec& spec) {
  kernels::TrainResult result;
  try {
    kernels::run_on_transport(spec.transport, spec.partition.data * spec.partition.tensor,
                              [&](kernels::Communicator& ranks) {
                                kernels::TrainResult of_rank = kernels::train(spec, ranks);
                                if (ranks.rank() == 0) result = std::move(of_rank);
                              });
  } catch (const kernels::KernelError& error) {
    throw ConfigError(error.what());
  }
  return result;
}

void write_trace(const std::string& file, const kernels::RoutingTrace& trace) {
  const std::filesystem::path path{file};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  write_files_atomically(folder, {{path.filename().string(), [&trace](std::ostream& out) {
                                     out << kernels::npy_file(trace);
                                   }}});
}

}  // namespace

void execute_training(const ExecuteTrainingOptions& options) {
  if (!options.out.empty()) check_output_folder(options.out);
  const kernels::TrainSpec spec = read_spec(options.file);
  check_comparable(spec, options.file);
  Progress progress{2, options.quiet};
  const kernels::TrainResult result = trained(spec);
  progress.finished("training");
  if (!options.trace_file.empty()) write_trace(options.trace_file, result.trace);
  if (!result.stopped.empty())
    throw ConfigError(fmt::format("{}: the training stopped, so there is nothing to compare: {}",
                                  options.file, result.stopped));
  const TrainingComparison comparison = compare_training(result, options.samples);
  progress.finished("comparison");
  const nlohmann::ordered_json json{
      {"training", nlohmann::ordered_json::parse(kernels::train_json(result))},
      {"routing", comparison_json(comparison)}};
  const std::string text = json.dump(2) + "\n";
  if (!options.out.empty())
    write_files_atomically(options.out,
                           {{"execute.json", [&text](std::ostream& out) { out << text; }}});
  if (options.format == "json")
    fmt::print("{}", text);
  else
    fmt::print("{}\n{}", kernels::train_table(result), comparison_tables(comparison));
}

}  // namespace switchyard
