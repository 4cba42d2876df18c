#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "cost_models/compute.hpp"
#include "sim/cli/csv_reader.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/planner/held_out_error.hpp"

namespace switchyard {
namespace {

const std::filesystem::path& source() {
  static const std::filesystem::path kSource{SWITCHYARD_SOURCE_DIR};
  return kSource;
}

/// One rank's part of a MoE layer.
struct Layer {
  double experts = 0.0;  ///< that have tokens
  double rows = 0.0;     ///< choices of one rank's experts
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;  ///< of one rank
};

Tensor tensor(double rows, std::int64_t columns) {
  return {.outer = rows, .columns = columns, .element_bytes = 2};
}

Operator product(const Layer& layer, std::int64_t contraction, std::int64_t columns) {
  const double each = std::ceil(layer.rows / layer.experts);
  Operator op;
  op.matmul = {.batch = layer.experts,
               .rows = static_cast<std::int64_t>(each),
               .contraction = contraction,
               .columns = columns,
               .kernel = MatmulKernel::kGrouped};
  op.traffic = {{tensor(layer.rows, contraction)},
                {tensor(layer.experts * static_cast<double>(contraction), columns)},
                {tensor(layer.rows, columns)}};
  return op;
}

Operator elementwise(const Tensor& read, const Tensor& written) {
  Operator op;
  op.traffic = {{read}, {written}};
  return op;
}

Seconds layer_time(const Layer& layer, const DeviceProfile& device) {
  const Tensor narrow = tensor(layer.rows, layer.d_model);
  Seconds total;
  for (const Operator& op :
       {elementwise(narrow, narrow), product(layer, layer.d_model, 2 * layer.d_ff),
        elementwise(tensor(layer.rows, 2 * layer.d_ff), tensor(layer.rows, layer.d_ff)),
        product(layer, layer.d_ff, layer.d_model), elementwise(narrow, tensor(0.0, 1))})
    total += operator_time(op, device);
  return total;
}

// Nothing was fitted to these rows: grouped kernels have the constants of single products. Left out
// is one token spread over ranks, whose two choices are not two experts of a rank.
TEST(ShippedGemm, PredictsMoeLayersThatNothingWasFittedTo) {
  const YamlNode node = load_yaml(source() / "cost_models/profiles/h100-sxm.yaml");
  DeviceProfile device =
      read_document(node, [](Section section) { return read_device(std::move(section)); }).device;
  device.sustained_speed.value = 1.0;  // the layers were measured in short runs, as the products
  CsvReader csv{source() / "experiments/reference/moe_layer_mixtral_h100.csv"};
  std::vector<double> errors;
  while (csv.next_row()) {
    const double choices = csv.positive("tokens") * csv.count("topk");
    const int ranks = csv.count("moe_ep");
    if (csv.text("framework") != "TRTLLM" || choices < 2 * ranks) continue;
    const Layer layer{.experts = std::min(1.0 * csv.count("experts") / ranks, choices / ranks),
                      .rows = choices / ranks,
                      .d_model = csv.count("hidden"),
                      .d_ff = csv.count("inter") / csv.count("moe_tp")};
    errors.push_back(layer_time(layer, device).base() * 1e6 / csv.positive("latency_us") - 1.0);
  }
  csv.throw_if_any();
  const HeldOutError error = summarize(errors);
  EXPECT_EQ(error.rows, 46);
  EXPECT_LE(error.median, 0.08);
  EXPECT_LE(error.p90, 0.13);
  EXPECT_LE(error.largest, 0.2);
}

}  // namespace
}  // namespace switchyard
