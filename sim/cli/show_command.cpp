#include <algorithm>
#include <memory>
#include <regex>

#include <CLI/CLI.hpp>

#include "cost_models/compute.hpp"

#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/diagnostics.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/network_facts.hpp"
#include "sim/cli/read_model.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/show_routing.hpp"
#include "sim/cli/show_topology.hpp"
#include "sim/core/error.hpp"
#include "sim/core/units_format.hpp"
#include "sim/report/text_table.hpp"
#include "sim/workload/model_flop.hpp"
#include "sim/workload/parameters.hpp"
#include "sim/workload/training_step.hpp"

namespace switchyard {
namespace {

std::string not_found(const Catalog& catalog, const std::string& kind, const std::string& name) {
  const std::string near = did_you_mean(name, catalog.names);
  return fmt::format(
      "show {}: no {} is called {}{}", kind, kind, in_quotes(name),
      near.empty() ? fmt::format("; there are: {}", fmt::join(catalog.names, ", ")) : near);
}

/// The tree of a catalog entry.
YamlNode catalog_node(const Catalog& catalog, const std::string& kind, const std::string& name) {
  std::optional<YamlNode> node = catalog.load(name);
  if (!node) throw ConfigError(not_found(catalog, kind, name));
  return *node;
}

std::string count_text(double count) {
  return count >= 1e9   ? fmt::format("{:.1f} billion", count / 1e9)
         : count >= 1e6 ? fmt::format("{:.1f} million", count / 1e6)
                        : fmt::format("{:.0f}", count);
}

/// One row of the list of operators: those of all layers that differ in their number only.
struct OperatorRow {
  std::string name;
  OperatorClass operator_class = OperatorClass::kAttention;
  int count = 0;
  Flop flop;
  Bytes traffic;
  Bytes saved;
};

void add_operator(const Operator& op, std::vector<OperatorRow>& rows) {
  static const std::regex kLayer{"\\.[0-9]+\\."};
  const std::string name = std::regex_replace(op.name, kLayer, ".*.");
  auto row = std::ranges::find(rows, name, &OperatorRow::name);
  if (row == rows.end())
    row = rows.insert(rows.end(), {.name = name,
                                   .operator_class = op.operator_class,
                                   .count = 0,
                                   .flop = matmul_flop(op.matmul),
                                   .traffic = memory_traffic(op, MemoryTile{}),
                                   .saved = {}});
  if (row->count++ == 0)
    for (const Tensor& tensor : op.saved) row->saved += padded_bytes(tensor, MemoryTile{});
}

/// The operators of one training step over one sequence on one rank, without tile padding.
void show_operators(const ModelSpec& model, const SequenceLengths& lengths) {
  TrainingStepSpec step;
  step.model = model;
  step.lengths = lengths;
  step.sequences = 1;
  const StepGraph graph = build_training_step(step);
  std::vector<OperatorRow> rows;
  for (const auto* nodes : {&graph.microbatch, &graph.update})
    for (const StepNode& node : *nodes)
      if (const auto* op = std::get_if<Operator>(&node)) add_operator(*op, rows);

  TextTable table;
  table.columns = {{"operator", Alignment::kLeft},
                   {"class", Alignment::kLeft},
                   {"times"},
                   {"FLOP"},
                   {"memory traffic"},
                   {"kept for backward"}};
  for (const OperatorRow& row : rows)
    table.rows.push_back({row.name, std::string{class_name(row.operator_class)},
                          fmt::format("{}", row.count), fmt::format("{}", row.flop),
                          fmt::format("{}", row.traffic), fmt::format("{}", row.saved)});
  constexpr std::size_t kWidth = 130;
  fmt::print(
      "\neach operator of a training step over one sequence on one rank (selective "
      "precision, capacity factor 1)\n{}",
      format(table, kWidth));
}

void show_model(const std::string& name, std::int64_t inputs, std::int64_t targets,
                bool with_operators) {
  const YamlNode node = catalog_node(model_catalog(), "model", name);
  const ModelSpec model =
      read_document(node, [](Section section) { return read_model(std::move(section)); });
  const bool has_encoder = model.architecture == Architecture::kEncoderDecoder;
  if (targets == 0) targets = has_encoder ? 114 : 2048;
  const SequenceLengths lengths{.input_tokens = has_encoder ? inputs : 0, .target_tokens = targets};
  const ParameterCounts counts = count_parameters(model);
  const ModelFlop flop = forward_flop(model, lengths);
  const auto tokens = static_cast<double>(lengths.input_tokens + lengths.target_tokens);

  fmt::print("{}: {}\n", name,
             has_encoder ? fmt::format("{} encoder and {} decoder layers", model.num_encoder_layers,
                                       model.num_decoder_layers)
                         : fmt::format("{} decoder layers", model.num_decoder_layers));
  fmt::print("  d_model {}, d_ff {}, {} heads of {}, {} key-value heads, vocabulary {}\n",
             model.d_model, model.d_ff, model.num_heads, model.d_head, model.num_kv_heads,
             model.vocabulary);
  if (is_moe(model))
    fmt::print("  {} experts in {} of {} layers, {} per token\n", model.moe.num_experts,
               num_moe_layers(model), model.num_encoder_layers + model.num_decoder_layers,
               model.moe.top_k);
  fmt::print("\nparameters\n");
  const std::pair<const char*, double> kinds[] = {{"embedding", counts.embedding},
                                                  {"attention", counts.attention},
                                                  {"feed-forward", counts.feed_forward},
                                                  {"experts", counts.experts},
                                                  {"router", counts.router},
                                                  {"normalization", counts.norm},
                                                  {"total", counts.total()},
                                                  {"active per token", active_parameters(model)}};
  for (const auto& [kind, count] : kinds)
    fmt::print("  {:<24}{:>14}{:>18.0f}\n", kind, count_text(count), count);
  fmt::print("  {:<24}{:>14}   in float32; {} in bfloat16\n", "weights",
             fmt::format("{}", Bytes{counts.total() * 4}), Bytes{counts.total() * 2});
  if (has_encoder)
    fmt::print("\nforward pass of one sequence of {} input and {} target tokens\n", inputs,
               targets);
  else
    fmt::print("\nforward pass of one sequence of {} tokens\n", targets);
  const std::pair<const char*, Flop> parts[] = {
      {"attention projections", flop.attention_projections},
      {"attention scores", flop.attention_scores},
      {"feed-forward, experts", flop.feed_forward},
      {"logits", flop.logits},
      {"total", flop.total()},
      {"router (not in total)", flop.router},
      {"as table 9 counts it", published_forward_flop(model, lengths)}};
  for (const auto& [part, value] : parts)
    fmt::print("  {:<24}{:>14}\n", part, fmt::format("{}", value));
  fmt::print("  {:<24}{:>14}\n", "total per token", fmt::format("{}", flop.total() / tokens));
  fmt::print("  {:<24}{:>14}\n", "training, per sequence",
             fmt::format("{}", training_flop(model, lengths)));
  if (with_operators) show_operators(model, lengths);
}

void show_system(const std::string& name) {
  const YamlNode node = catalog_node(system_catalog(), "system", name);
  const Catalog devices = device_catalog();
  const System system = read_document(node, [&devices](Section section) {
                          return read_system(std::move(section), devices);
                        }).system;
  const DeviceProfile& device = system.device;
  const NetworkFacts facts = network_facts(system.network);
  fmt::print("{}: {}\n\nnetwork\n{}", name, facts.topology.name, facts_text(facts));
  fmt::print("\neach rank\n");
  const std::pair<const char*, std::string> rows[] = {
      {"peak (bfloat16)", fmt::format("{}", device.peak_bfloat16)},
      {"memory bandwidth", fmt::format("{}", device.memory_bandwidth)},
      {"memory", fmt::format("{:.4g} GiB, {:.0f} % usable", device.memory_capacity.base() / 0x1p30,
                             100 * device.memory_usable)},
      {"matmul efficiency",
       fmt::format("{:.3g} ({}, plausible {} to {})", device.matmul_efficiency.value,
                   provenance_name(device.matmul_efficiency.provenance),
                   device.matmul_efficiency.lowest, device.matmul_efficiency.highest)},
      {"memory efficiency",
       fmt::format("{:.3g} ({}, plausible {} to {})", device.memory_efficiency.value,
                   provenance_name(device.memory_efficiency.provenance),
                   device.memory_efficiency.lowest, device.memory_efficiency.highest)},
      {"matrix tile", fmt::format("{} x {}, rows in {}s and at least {}",
                                  device.matmul_tile.contraction, device.matmul_tile.columns,
                                  device.matmul_tile.rows, device.matmul_tile.minimum_rows)},
      {"memory tile", fmt::format("{} x {}", device.memory_tile.rows, device.memory_tile.columns)}};
  for (const auto& [what, value] : rows) fmt::print("  {:<28}{}\n", what, value);
}

void list(const Catalog& catalog) {
  for (const std::string& name : catalog.names) fmt::print("{}\n", name);
}

}  // namespace

void add_show(CLI::App& program) {
  auto* show =
      program.add_subcommand("show", "Look at a model, a system or a network of the catalogs");
  show->require_subcommand(1);
  show->footer(
      "Example: switchyard show model switch-base\n"
      "         switchyard show system tpu-v3-32\n"
      "         switchyard show topology dgx-h100-x4\n"
      "         switchyard show routing experiments/capacity_factor.yaml");

  const auto model_name = std::make_shared<std::string>();
  const auto inputs = std::make_shared<std::int64_t>(512);
  const auto targets = std::make_shared<std::int64_t>(0);
  auto* model = show->add_subcommand("model", "Parameters and FLOPs; without a name, the list");
  model->footer("Example: switchyard show model mixtral-8x7b --target-tokens 4096");
  model->add_option("name", *model_name, "Name in the catalog");
  model->add_option("--input-tokens", *inputs, "Tokens of the encoder")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  model
      ->add_option("--target-tokens", *targets,
                   "Tokens of the decoder (default: 114 beside an encoder, else 2048)")
      ->check(CLI::Range(1, 100'000'000));
  const auto with_operators = std::make_shared<bool>(false);
  model->add_flag("--operators", *with_operators, "Also every operator: FLOPs and bytes");
  model->callback([model_name, inputs, targets, with_operators] {
    model_name->empty() ? list(model_catalog())
                        : show_model(*model_name, *inputs, *targets, *with_operators);
  });

  const auto system_name = std::make_shared<std::string>();
  auto* system = show->add_subcommand("system", "Network and device; without a name, the list");
  system->footer("Example: switchyard show system tpu-v3-32");
  system->add_option("name", *system_name, "Name in the catalog");
  system->callback(
      [system_name] { system_name->empty() ? list(system_catalog()) : show_system(*system_name); });
  add_show_topology(*show);
  add_show_routing(*show);
}

}  // namespace switchyard
