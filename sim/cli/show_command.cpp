#include <memory>

#include <CLI/CLI.hpp>

#include "sim/cli/commands.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/network_facts.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/show_catalog.hpp"
#include "sim/cli/show_device.hpp"
#include "sim/cli/show_model.hpp"
#include "sim/cli/show_partition.hpp"
#include "sim/cli/show_routing.hpp"
#include "sim/cli/show_topology.hpp"
#include "sim/core/units_format.hpp"

namespace switchyard {
namespace {

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
      {"sustained speed", device.sustained_speed.lowest > 0.0
                              ? fmt::format("{:.3g} ({})", device.sustained_speed.value,
                                            provenance_name(device.sustained_speed.provenance))
                              : "1"},
      {"host launch", device.host_launch.highest > Seconds{}
                          ? fmt::format("{} an operator ({})", device.host_launch.value,
                                        provenance_name(device.host_launch.provenance))
                          : "none: steps are launched whole"},
      {"matrix tile", fmt::format("{} x {}, rows in {}s and at least {}",
                                  device.matmul_tile.contraction, device.matmul_tile.columns,
                                  device.matmul_tile.rows, device.matmul_tile.minimum_rows)},
      {"memory tile", fmt::format("{} x {}", device.memory_tile.rows, device.memory_tile.columns)}};
  for (const auto& [what, value] : rows) fmt::print("  {:<28}{}\n", what, value);
}

}  // namespace

void add_show(CLI::App& program) {
  auto* show = program.add_subcommand(
      "show", "Look at a model, a system, a network, or what an experiment lays out and routes");
  show->require_subcommand(1);
  show->footer(
      "Example: switchyard show model switch-base\n"
      "         switchyard show system tpu-v3-32\n"
      "         switchyard show device h200-sxm\n"
      "         switchyard show topology dgx-h100-x4\n"
      "         switchyard show routing experiments/capacity_factor.yaml\n"
      "         switchyard show partition experiments/figure9.yaml --strategies");

  add_show_model(*show);
  const auto system_name = std::make_shared<std::string>();
  auto* system = show->add_subcommand("system", "Network and device; without a name, the list");
  system->footer("Example: switchyard show system tpu-v3-32");
  system->add_option("name", *system_name, "Name in the catalog");
  system->callback([system_name] {
    system_name->empty() ? print_names(system_catalog()) : show_system(*system_name);
  });
  add_show_device(*show);
  add_show_topology(*show);
  add_show_routing(*show);
  add_show_partition(*show);
}

}  // namespace switchyard
