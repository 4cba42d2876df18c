#include "sim/cli/show_topology.hpp"

#include <filesystem>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/draw_network.hpp"
#include "sim/cli/load_system.hpp"
#include "sim/cli/network_facts.hpp"
#include "sim/cli/read_network.hpp"
#include "sim/core/error.hpp"
#include "sim/report/output_folder.hpp"

namespace switchyard {
namespace {

struct Options {
  std::string name;
  std::string format = "table";
  std::string out;
  std::vector<std::string> overrides;
  bool with_links = false;
};

NetworkSpec read_network_of(const YamlNode& system) {
  return read_document(system, [](Section section) {
    for (const char* key : {"device", "library"})
      (void)section.raw(key, "Not needed to look at the network.");
    NetworkSpec network = read_network(section);
    section.finish();
    return network;
  });
}

void show(const Options& options) {
  if (options.name.empty()) {
    for (const std::string& name : system_catalog().names) fmt::print("{}\n", name);
    return;
  }
  if (!options.out.empty()) check_output_folder(options.out);
  const NetworkSpec spec =
      read_network_of(system_node(options.name, options.overrides, "show topology"));
  const NetworkFacts facts = network_facts(spec);
  const std::string name = is_system_file(options.name)
                               ? std::filesystem::path{options.name}.stem().string()
                               : options.name;
  if (options.format == "json") {
    fmt::print("{}\n", facts_json(name, spec, facts).dump(2));
  } else {
    fmt::print("{}: {}\n\n{}\n{}", name, facts.topology.name, facts_text(facts),
               draw_network(spec));
    if (options.with_links) fmt::print("\n{}", links_text(facts));
  }
  if (options.out.empty()) return;
  write_files_atomically(options.out, {{.name = "topology.json", .write = [&](std::ostream& out) {
                                          out << facts_json(name, spec, facts).dump(2) << '\n';
                                        }}});
  fmt::print(stderr, "wrote topology.json to {}; draw it with plots/topology.py\n", options.out);
}

}  // namespace

void add_show_topology(CLI::App& show_command) {
  const auto options = std::make_shared<Options>();
  auto* command = show_command.add_subcommand(
      "topology", "Counts, distances, bisection and a drawing; without a name, the list");
  command->footer(
      "Example: switchyard show topology dgx-h100-x4 --links\n"
      "         switchyard show topology my_system.yaml --out out/topology");
  command->add_option("name", options->name, "System of the catalog, or a file that ends in .yaml");
  command->add_flag("--links", options->with_links, "Also every link, with its ends");
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "Folder for topology.json");
  command->add_option("--set", options->overrides, "Change a key: cluster.nodes=8; repeatable")
      ->allow_extra_args(false);
  command->callback([options] { show(*options); });
}

}  // namespace switchyard
