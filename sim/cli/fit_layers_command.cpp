#include <filesystem>
#include <memory>
#include <ostream>

#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/layer_measurements.hpp"
#include "sim/cli/layer_report.hpp"
#include "sim/cli/profile_text.hpp"
#include "sim/cli/read_layer_stack.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct FitLayersOptions {
  std::string measured;
  std::string stack;
  std::string folder;
  bool score_sealed = false;
  bool write = false;
};

DeviceProfile load_device(const std::string& name) {
  const std::optional<YamlNode> node = device_catalog().load(name);
  if (!node) throw ConfigError(fmt::format("device: no profile is called \"{}\"", name));
  DeviceProfile device =
      read_document(*node, [](Section section) { return read_device(std::move(section)); }).device;
  if (!device.matmul_model) throw ConfigError(fmt::format("device: {} has no matmul_model", name));
  return device;
}

MoeLayerStack load_stack(const std::string& file) {
  const YamlNode node = load_yaml(file);
  return read_document(node, [](Section section) { return read_layer_stack(std::move(section)); });
}

void fit_layers_command(const FitLayersOptions& options) {
  if (!options.folder.empty()) check_output_folder(options.folder);
  LayerMeasurements measurements;
  add_layer_measurements(options.measured, options.score_sealed, measurements);
  const MoeLayerStack start = load_stack(options.stack);
  const DeviceProfile device = load_device(start.device);
  const std::vector<LayerMeasurement> measured = rows_of(measurements, start.framework);
  if (std::ranges::none_of(measured,
                           [](const LayerMeasurement& row) { return row.role == SplitRole::kFit; }))
    throw ConfigError(
        fmt::format("{}: no rows of framework {} to fit to", options.measured, start.framework));
  const MoeLayerStack stack = fit_layers(measured, start, device);
  const std::vector<LayerRow> rows = predict_layers(measured, stack, device);
  fmt::print("{}", layer_tables(rows, stack));
  if (options.score_sealed)
    fmt::print(stderr, "sealed rows were scored: write a line into CHANGELOG.md, with the date\n");
  if (!options.folder.empty()) {
    write_files_atomically(
        options.folder,
        {{"layers.csv", [&rows](std::ostream& out) { write_layer_csv(out, rows); }}});
    fmt::print(stderr, "wrote {}/layers.csv\n", options.folder);
  }
  if (!options.write) return;
  rewrite_profile(options.stack, [&](const std::string& text) {
    return with_marked_text(text, layer_marks(),
                            layer_constants_yaml(rows, stack, measurements.comments),
                            options.stack);
  });
}

}  // namespace

void add_fit_layers(CLI::App& fit) {
  const auto options = std::make_shared<FitLayersOptions>();
  auto* command = fit.add_subcommand(
      "layers", "Fit how a software stack computes MoE layers, and show errors of other rows");
  command->footer(
      "Example: switchyard fit layers experiments/reference/moe_layer_mixtral_h100.csv --stack "
      "cost_models/profiles/layers/trtllm-h100.yaml");
  command
      ->add_option("file", options->measured,
                   "CSV of measured layers; splits.yaml beside it says which rows are fitted to")
      ->required();
  command->add_option("--stack", options->stack, "Profile of the software stack (YAML)")
      ->required();
  command->add_flag("--write", options->write, "Replace the constants of the profile");
  command->add_option("--out", options->folder, "Folder for layers.csv");
  command->add_flag("--score-sealed", options->score_sealed,
                    "Score the sealed rows too. Do so once a model is final, and write each "
                    "scoring with its date into CHANGELOG.md");
  command->callback([options] { fit_layers_command(*options); });
}

}  // namespace switchyard
