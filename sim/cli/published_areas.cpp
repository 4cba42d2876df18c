#include "sim/cli/published_areas.hpp"

#include <iterator>

#include <fmt/format.h>

#include "sim/cli/csv_reader.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/gemm_measurements.hpp"
#include "sim/cli/layer_measurements.hpp"
#include "sim/cli/read_layer_stack.hpp"
#include "sim/cli/read_splits.hpp"
#include "sim/cli/read_system.hpp"
#include "sim/cli/yaml_document.hpp"
#include "sim/planner/area_baseline.hpp"

namespace switchyard {
namespace {

namespace fs = std::filesystem;
using namespace literals;

constexpr const char* kOneEfficiency = "roofline x one efficiency";
constexpr Bytes kCache = 50_MB;               // of an H100, as `fit gemm` has it
constexpr Seconds kFp8KernelStart = 1.49_us;  // what `fit gemm` fits with the FP8 constants

fs::path reference(const char* name) { return data_folder() / "experiments" / "reference" / name; }

DeviceProfile shipped_device(const std::string& name) {
  const YamlNode node = load_yaml(data_folder() / "cost_models" / "profiles" / (name + ".yaml"));
  return read_document(node, [](Section section) { return read_device(std::move(section)); })
      .device;
}

/// Adds the trivial predictions, whose limits come in the order of the rows.
ValidationArea with_one_efficiency(ValidationArea area, const std::vector<Seconds>& limits) {
  std::vector<BaselineRow> rows;
  for (std::size_t i = 0; i < limits.size(); ++i)
    rows.push_back({.group = area.name,
                    .limit = limits[i],
                    .measured = area.rows[i].measured,
                    .is_fit = area.rows[i].is_fit});
  const std::vector<Seconds> times = one_efficiency(rows);
  for (std::size_t i = 0; i < times.size(); ++i) area.rows[i].baseline = times[i];
  area.baseline = kOneEfficiency;
  return area;
}

ValidationArea gemm_area(const char* area_name, const char* file, const DeviceProfile& device) {
  GemmMeasurements measurements;
  add_gemm_measurements(reference(file), measurements);
  const std::vector<SplitRole> roles = roles_of_rows(reference(file));
  ValidationArea area{.name = area_name, .baseline = "", .rows = {}};
  std::vector<Seconds> limits;
  for (std::size_t i = 0; i < measurements.rows.size(); ++i) {
    const GemmMeasurement& row = measurements.rows[i];
    area.rows.push_back({.name = gemm_name(row.matmul),
                         .is_fit = roles[i] == SplitRole::kFit,
                         .measured = row.time,
                         .predicted = predict_gemm(row, device, kFp8KernelStart, kCache),
                         .baseline = {}});
    limits.push_back(gemm_roofline(row.matmul, device));
  }
  return with_one_efficiency(std::move(area), limits);
}

/// 16384 tokens in heads that are 2048 wide together; half of the operations under a mask.
ValidationArea attention_area(const DeviceProfile& device) {
  constexpr double kTokens = 16'384;
  constexpr double kWidth = 2048;
  constexpr double kBackward = 2.5;  // operations for each one forward
  CsvReader csv{reference("flash_attention_h100.csv")};
  csv.require({"direction", "head_width", "is_causal", "sequence", "TFLOPs"});
  ValidationArea area{.name = "attention H100", .baseline = "", .rows = {}};
  std::vector<Seconds> limits;
  while (csv.next_row()) {
    const bool is_backward = csv.text("direction") == "backward";
    const int width = csv.count("head_width");
    const int sequence = csv.count("sequence");
    const bool is_causal = csv.count("is_causal", 0) == 1;
    const Matmul matmul{.batch = kWidth / width * kTokens / sequence,
                        .rows = sequence,
                        .contraction = 2 * width,
                        .columns = sequence,
                        .kernel = MatmulKernel::kFusedAttention,
                        .computed_share = (is_backward ? kBackward : 1.0) * (is_causal ? 0.5 : 1)};
    const Phase phase = is_backward ? Phase::kBackward : Phase::kForward;
    area.rows.push_back(
        {.name = fmt::format("{} {} wide, {}{}", csv.text("direction"), width, sequence,
                             is_causal ? ", causal" : ""),
         .is_fit = true,
         .measured = matmul_flop(matmul) / FlopPerSecond{csv.positive("TFLOPs") * 1e12},
         .predicted = fused_attention_time(matmul, phase, device),
         .baseline = {}});
    limits.push_back(matmul_flop(matmul) / device.peak_bfloat16);
  }
  csv.throw_if_any();
  return with_one_efficiency(std::move(area), limits);
}

ValidationArea layer_area(const MoeLayerStack& stack, const LayerMeasurements& measurements) {
  ValidationArea area{
      .name = fmt::format("MoE layers {}", stack.name.substr(0, stack.name.find(' '))),
      .baseline = kOneEfficiency,
      .rows = {}};
  const std::vector<LayerMeasurement> measured = rows_of(measurements, stack.framework);
  for (const LayerRow& row : predict_layers(measured, stack, shipped_device(stack.device)))
    area.rows.push_back({.name = layer_name(row.measured.shape),
                         .is_fit = row.measured.role == SplitRole::kFit,
                         .measured = row.measured.time,
                         .predicted = row.predicted,
                         .baseline = row.roofline});
  return area;
}

}  // namespace

std::vector<ValidationArea> published_areas() {
  const DeviceProfile h100 = shipped_device("h100-sxm");
  std::vector<ValidationArea> areas{
      gemm_area("GEMM bf16 H100", "gemm_bf16_h100.csv", h100),
      gemm_area("GEMM fp8 H800", "gemm_fp8_h800.csv", shipped_device("h800-sxm")),
      attention_area(h100)};
  LayerMeasurements layers;
  add_layer_measurements(reference("moe_layer_mixtral_h100.csv"), false, layers);
  const Catalog stacks = layer_catalog();
  for (const std::string& name : stacks.names)
    areas.push_back(layer_area(
        read_document(*stacks.load(name),
                      [](Section section) { return read_layer_stack(std::move(section)); }),
        layers));
  std::ranges::move(published_link_areas(), std::back_inserter(areas));
  return areas;
}

}  // namespace switchyard
