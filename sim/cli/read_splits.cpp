#include "sim/cli/read_splits.hpp"

#include <algorithm>

#include "sim/cli/csv_reader.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// `where`: lists of texts under names of columns, which no reader can know.
std::map<std::string, std::vector<std::string>> read_where(Section& section) {
  std::map<std::string, std::vector<std::string>> where;
  const YamlNode* node = section.raw("where", "Texts that columns have.", {{"type", "object"}});
  if (node == nullptr) return where;
  for (const YamlNode::Entry& entry : node->entries)
    for (const YamlNode& item : entry.value.items) where[entry.key].push_back(item.scalar);
  const bool is_right = std::ranges::all_of(node->entries, [](const YamlNode::Entry& entry) {
    return !entry.value.items.empty() &&
           std::ranges::all_of(entry.value.items, [](const YamlNode& item) {
             return item.kind == YamlNode::Kind::kScalar;
           });
  });
  if (node->entries.empty() || !is_right)
    section.problem("where", "expected columns, each with a list of texts");
  return where;
}

SplitRule read_rule(Section section) {
  SplitRule rule;
  rule.role = section.choice<SplitRole>("role", "What rows may be used for.",
                                        {{"fit", SplitRole::kFit},
                                         {"development", SplitRole::kDevelopment},
                                         {"sealed", SplitRole::kSealed}});
  rule.where = read_where(section);
  rule.every = section.optional_count("every", "One of so many values of `of`.", 0, {2, 1000});
  rule.index = section.optional_count("index", "Which of them, from 0.", 0, {0, 999});
  rule.of = section.optional_list("of", "Columns whose values are counted.", types::text(), {});
  rule.within =
      section.optional_list("within", "Columns that are equal in a group.", types::text(), {});
  if (section.ok() && (rule.every > 0) != !rule.of.empty())
    section.problem("every", "expected both \"every\" and \"of\", or neither");
  if (section.ok() && rule.every > 0 && rule.index >= rule.every)
    section.problem("index", fmt::format("expected less than {}, got {}", rule.every, rule.index));
  section.finish();
  return rule;
}

TableSplit read_table(Section section) {
  TableSplit table;
  table.file = section.text("file", "CSV file beside this one.");
  table.as = section.optional_text("as", "The command whose code has the same rule.", "");
  table.cases_in = section.optional_list(
      "cases_in", "Experiments that say the roles of some of its rows.", types::text(), {});
  table.rules = section.sections("rules", "The first that holds decides.", read_rule, {.min = 1});
  section.finish();
  return table;
}

ExperimentSplit read_experiment_split(Section section) {
  ExperimentSplit split;
  split.file = section.text("file", "Experiment file, from the root.");
  split.num_fit = section.count("fit", "Published rows of role fit.", {0, 1'000'000});
  split.num_development =
      section.count("development", "Published rows of role predicted.", {0, 1'000'000});
  section.finish();
  return split;
}

}  // namespace

Splits read_splits(Section section) {
  Splits splits;
  splits.tables = section.sections("tables", "Published tables.", read_table, {.min = 1});
  splits.experiments = section.optional_sections("experiments", "Experiments that publish rows.",
                                                 read_experiment_split);
  section.finish();
  return splits;
}

std::vector<TableRow> table_rows(const std::filesystem::path& file) {
  CsvReader csv{file};
  std::vector<TableRow> rows;
  while (csv.next_row()) rows.push_back(csv.fields());
  csv.throw_if_any();
  return rows;
}

std::vector<SplitRole> roles_of_rows(const std::filesystem::path& file) {
  const std::filesystem::path beside = file.parent_path() / "splits.yaml";
  const YamlNode node = load_yaml(beside);
  const Splits splits =
      read_document(node, [](Section section) { return read_splits(std::move(section)); });
  const auto table = std::ranges::find(splits.tables, file.filename().string(), &TableSplit::file);
  if (table == splits.tables.end())
    throw ConfigError(fmt::format("{}: expected a table \"{}\", which has the rows to be split",
                                  beside.string(), file.filename().string()));
  try {
    return assign_roles(table->rules, table_rows(file));
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}: {}", beside.string(), table->file, error.what()));
  }
}

}  // namespace switchyard
