#include "sim/cli/layer_measurements.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "sim/cli/csv_reader.hpp"
#include "sim/cli/read_splits.hpp"

namespace switchyard {
namespace {

void expect(CsvReader& csv, const std::string& column, const std::string& text) {
  if (csv.text(column) != text)
    csv.problem(fmt::format("{}: expected {}, got \"{}\"", column, text, csv.text(column)));
}

StackLayerShape read_shape(CsvReader& csv) {
  StackLayerShape shape{.tokens = csv.count("tokens"),
                        .d_model = csv.count("hidden"),
                        .d_ff = csv.count("inter"),
                        .num_experts = csv.count("experts"),
                        .top_k = csv.count("topk"),
                        .expert_ranks = csv.count("moe_ep"),
                        .tensor_ranks = csv.count("moe_tp")};
  if (shape.num_experts % shape.expert_ranks != 0 || shape.d_ff % shape.tensor_ranks != 0)
    csv.problem("expected moe_ep to divide experts and moe_tp to divide inter");
  return shape;
}

}  // namespace

void add_layer_measurements(const std::filesystem::path& file, bool with_sealed,
                            LayerMeasurements& measurements) {
  const std::vector<SplitRole> roles = roles_of_rows(file);
  CsvReader csv{file};
  csv.require({"framework", "version", "moe_dtype", "tokens", "hidden", "inter", "topk", "experts",
               "moe_tp", "moe_ep", "distribution", "latency_us"});
  for (std::size_t i = 0; csv.next_row(); ++i) {
    expect(csv, "moe_dtype", "bfloat16");
    expect(csv, "distribution", "balanced");
    const LayerMeasurement row{
        .framework = csv.text("framework"),
        .library = fmt::format("{} {}", csv.text("framework"), csv.text("version")),
        .shape = read_shape(csv),
        .time = Seconds{csv.positive("latency_us") / 1e6},
        .role = roles[i]};
    if (with_sealed || row.role != SplitRole::kSealed) measurements.rows.push_back(row);
  }
  csv.throw_if_any();
  std::ranges::copy(csv.comments(), std::back_inserter(measurements.comments));
}

std::vector<LayerMeasurement> rows_of(const LayerMeasurements& measurements,
                                      const std::string& framework) {
  std::vector<LayerMeasurement> rows;
  std::ranges::copy_if(measurements.rows, std::back_inserter(rows),
                       [&](const LayerMeasurement& row) { return row.framework == framework; });
  return rows;
}

}  // namespace switchyard
