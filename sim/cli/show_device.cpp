#include "sim/cli/show_device.hpp"

#include <memory>

#include "sim/cli/data_folder.hpp"
#include "sim/cli/load_system.hpp"
#include "sim/cli/number_sources.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/show_catalog.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/report/json_report.hpp"
#include "sim/report/text_table.hpp"

namespace switchyard {
namespace {

struct Options {
  std::string name;
  std::string format = "table";
};

YamlNode device_node(const std::string& name) {
  const Catalog catalog = device_catalog();
  if (!is_system_file(name)) return catalog_node(catalog, "device", name);
  Diagnostics diagnostics;
  const std::optional<YamlNode> node = resolve(load_yaml(name), "", catalog, diagnostics);
  diagnostics.throw_if_any();
  return *node;
}

const char* provenance_text(const SourcedNumber& number) {
  return number.provenance ? provenance_name(*number.provenance) : "-";
}

Json to_json(const std::vector<SourcedNumber>& numbers) {
  Json list = Json::array();
  for (const SourcedNumber& number : numbers)
    list.push_back({{"quantity", number.quantity},
                    {"value", number.value},
                    {"provenance",
                     number.provenance ? Json(provenance_name(*number.provenance)) : Json(nullptr)},
                    {"range", number.range},
                    {"source", number.source}});
  return list;
}

void show(const Options& options) {
  if (options.name.empty()) return print_names(device_catalog());
  const YamlNode node = device_node(options.name);
  (void)read_document(node, [](Section section) { return read_device(std::move(section)); });
  const std::vector<SourcedNumber> numbers = sourced_numbers(node);
  if (options.format == "json") {
    fmt::print("{}", json_text({{"device", options.name}, {"numbers", to_json(numbers)}}));
    return;
  }
  TextTable table;
  table.columns = {{"quantity", Alignment::kLeft},
                   {"value", Alignment::kLeft},
                   {"provenance", Alignment::kLeft},
                   {"plausible", Alignment::kLeft},
                   {"source", Alignment::kLeft}};
  for (const SourcedNumber& number : numbers)
    table.rows.push_back({number.quantity, number.value, provenance_text(number),
                          number.range.empty() ? "-" : number.range,
                          number.source.empty() ? "-" : number.source});
  constexpr std::size_t kWidth = 220;
  fmt::print("{}\n\n{}", options.name, format(table, kWidth));
}

}  // namespace

void add_show_device(CLI::App& show_command) {
  const auto options = std::make_shared<Options>();
  auto* command = show_command.add_subcommand(
      "device", "Every number of a device and where it comes from; without a name, the list");
  command->footer("Example: switchyard show device h200-sxm");
  command->add_option("name", options->name,
                      "A profile in cost_models/profiles, or a file that ends in .yaml");
  command->add_option("--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->callback([options] { show(*options); });
}

}  // namespace switchyard
