#include "sim/cli/routing_measurements.hpp"

#include <map>
#include <set>
#include <utility>

#include "sim/cli/csv_reader.hpp"
#include "sim/core/error.hpp"

namespace switchyard {
namespace {

/// A share in percent, above 0 and below 100.
double percentage(CsvReader& csv, const std::string& column) {
  const double percent = csv.positive(column);
  if (percent < 100) return percent / 100;
  csv.problem(fmt::format("{}: expected less than 100 %, got \"{}\"", column, csv.text(column)));
  return 0.5;
}

}  // namespace

LocalityTable read_locality(const std::filesystem::path& file) {
  CsvReader csv{file};
  csv.require({"dataset", "layer", "first_choice_percent", "first_or_second_percent"});
  LocalityTable table;
  std::set<std::pair<std::string, int>> known;
  while (csv.next_row()) {
    const LocalityMeasurement row{
        .dataset = csv.text("dataset"),
        .layer = csv.count("layer", 0),
        .repeats = {.first = percentage(csv, "first_choice_percent"),
                    .first_or_second = percentage(csv, "first_or_second_percent")}};
    if (!known.insert({row.dataset, row.layer}).second)
      csv.problem("the same dataset and layer as a line above");
    table.rows.push_back(row);
  }
  if (table.rows.empty()) csv.problem("expected at least one row");
  csv.throw_if_any();
  table.comments = csv.comments();
  return table;
}

LoadTable read_loads(const std::filesystem::path& file) {
  CsvReader csv{file};
  csv.require({"model", "balancing", "num_experts", "top_k", "num_groups", "quantity", "value"});
  LoadTable table;
  std::map<std::string, double*> places{{"smallest_share", &table.loads.range.smallest},
                                        {"largest_share", &table.loads.range.largest},
                                        {"typical_low", &table.loads.typical_low},
                                        {"typical_high", &table.loads.typical_high},
                                        {"lru_hit_low", &table.loads.lru_hit_low},
                                        {"lru_hit_high", &table.loads.lru_hit_high}};
  while (csv.next_row()) {
    const int num_experts = csv.count("num_experts", 2);
    const int top_k = csv.count("top_k");
    if (top_k >= num_experts)
      csv.problem(fmt::format("top_k: expected less than {} experts, got {}", num_experts, top_k));
    const int num_groups = csv.count("num_groups");
    const double value = csv.positive("value");
    const std::string& quantity = csv.text("quantity");
    if (quantity == "max_violation") {
      table.violations.push_back(
          {.model = csv.text("model"),
           .balancing = csv.text("balancing"),
           .violation = {.num_experts = num_experts, .top_k = top_k, .max_violation = value}});
    } else if (const auto place = places.find(quantity); place != places.end()) {
      table.loads.model = csv.text("model");
      table.loads.balancing = csv.text("balancing");
      table.loads.range.num_experts = num_experts;
      table.loads.range.top_k = top_k;
      table.loads.range.num_groups = num_groups;
      *place->second = value;
      places.erase(place);
    } else {
      csv.problem(fmt::format("quantity: unknown, or a second time: \"{}\"", quantity));
    }
  }
  for (const auto& [quantity, unused] : places)
    csv.problem(fmt::format("expected a row with quantity {}", quantity));
  if (table.loads.range.largest <= table.loads.range.smallest)
    csv.problem("largest_share: expected more than smallest_share");
  csv.throw_if_any();
  return table;
}

}  // namespace switchyard
