#include "sim/cli/read_system.hpp"

#include <algorithm>

#include "sim/cli/calibration/read_kernels.hpp"
#include "sim/cli/data_folder.hpp"
#include "sim/cli/message_text.hpp"
#include "sim/cli/read_links.hpp"
#include "sim/cli/read_matmul_model.hpp"
#include "sim/cli/read_network.hpp"
#include "sim/cli/yaml_document.hpp"

namespace switchyard {
namespace {

constexpr IntegerRange kTileSide{.min = 1, .max = 65'536};

MatmulTile read_matmul_tile(Section section) {
  MatmulTile tile;
  tile.rows = section.integer("rows", "Rows come in multiples of this.", kTileSide);
  tile.minimum_rows =
      section.integer("minimum_rows", "Fewer rows take as long as this many.", kTileSide);
  tile.contraction =
      section.integer("contraction", "The inner dimension comes in these.", kTileSide);
  tile.columns = section.integer("columns", "Columns come in multiples of this.", kTileSide);
  section.finish();
  return tile;
}

MemoryTile read_memory_tile(Section section) {
  MemoryTile tile;
  tile.rows = section.integer("rows", "The second-last dimension is padded to these.", kTileSide);
  tile.columns = section.integer("columns", "The last dimension is padded to these.", kTileSide);
  section.finish();
  return tile;
}

LoweringSpec read_lowering(Section section) {
  constexpr IntegerRange kBytes{.min = 1, .max = 8};
  const NumberRange passes{.min = 0.0, .max = 1000.0};
  LoweringSpec lowering;
  lowering.dispatch = section.optional_choice<DispatchKind>(
      "dispatch", "How tokens come to their experts' buffers.", lowering.dispatch,
      {{"one-hot", DispatchKind::kOneHot}, {"permutation", DispatchKind::kPermutation}});
  lowering.one_hot_passes = read_constant(section.subsection(
      "one_hot_passes",
      "Passes over the float32 one-hot tensor (tokens, experts, capacity): forward, and backward "
      "per choice."));
  lowering.weight_bytes = section.optional_count("weight_bytes", "Bytes of a master weight.",
                                                 lowering.weight_bytes, kBytes);
  lowering.gradient_bytes = section.optional_count(
      "gradient_bytes", "Bytes of an accumulated gradient.", lowering.gradient_bytes, kBytes);
  lowering.softmax_forward_passes = section.optional_number(
      "softmax_forward_passes", "Passes over the attention scores, forward.",
      lowering.softmax_forward_passes, passes);
  lowering.softmax_backward_passes = section.optional_number(
      "softmax_backward_passes", "Passes over the attention scores, backward.",
      lowering.softmax_backward_passes, passes);
  lowering.router_forward_passes = section.optional_number(
      "router_forward_passes", "Passes over (tokens, experts) per choice, forward.",
      lowering.router_forward_passes, passes);
  lowering.router_backward_passes = section.optional_number(
      "router_backward_passes", "Passes over (tokens, experts) per choice, backward.",
      lowering.router_backward_passes, passes);
  lowering.top_k_forward_passes = section.optional_number(
      "top_k_forward_passes", "Passes over (tokens, experts) by softmax and top-k, forward.",
      lowering.top_k_forward_passes, passes);
  lowering.top_k_backward_passes = section.optional_number(
      "top_k_backward_passes", "Passes over (tokens, experts) by softmax and top-k, backward.",
      lowering.top_k_backward_passes, passes);
  lowering.layout_copies = section.optional_number(
      "layout_copies", "Copies to another layout on each side of an all-to-all.",
      lowering.layout_copies, passes);
  lowering.fused_attention = section.optional_boolean(
      "fused_attention", "Whether attention is one kernel that never writes its scores.",
      lowering.fused_attention);
  lowering.separate_activation = section.optional_boolean(
      "separate_activation", "Whether the non-linearity is a kernel of its own.",
      lowering.separate_activation);
  lowering.separate_loss = section.optional_boolean(
      "separate_loss", "Whether the loss keeps float32 probabilities beside two types of logits.",
      lowering.separate_loss);
  lowering.gates_before_last_product = section.optional_boolean(
      "gates_before_last_product",
      "Whether gates multiply what the last product of an expert reads, not what it gives.",
      lowering.gates_before_last_product);
  lowering.updates_as_made = section.optional_boolean(
      "updates_as_made",
      "Whether a step of one microbatch updates each weight as soon as its gradient is summed.",
      lowering.updates_as_made);
  lowering.fused_accumulation = section.optional_boolean(
      "fused_accumulation", "Whether weight gradients are added up by the products themselves.",
      lowering.fused_accumulation);
  lowering.dropout = section.optional_boolean(
      "dropout", "Whether dropout keeps copies of hidden layers and attention weights.",
      lowering.dropout);
  lowering.one_hot_embedding = section.optional_boolean(
      "one_hot_embedding", "Whether look-ups are products with a one-hot matrix.",
      lowering.one_hot_embedding);
  lowering.capacity_multiple = section.optional_integer(
      "capacity_multiple", "Slots per expert are laid out in multiples of this.",
      lowering.capacity_multiple, kTileSide);
  lowering.optimizer_passes =
      section.optional_number("optimizer_passes", "float32 passes over each weight in the update.",
                              lowering.optimizer_passes, passes);
  lowering.optimizer_bytes = section.optional_count(
      "optimizer_bytes", "Of optimizer state for each weight, beside the master weight.",
      lowering.optimizer_bytes, {.min = 0, .max = 64});
  lowering.microbatch_tokens = section.optional_integer(
      "microbatch_tokens", "Input tokens of a microbatch on one rank, if memory allows.",
      lowering.microbatch_tokens, {.min = 1, .max = 1'000'000'000});
  section.finish();
  return lowering;
}

}  // namespace

DeviceFile read_device(Section section) {
  DeviceFile file;
  DeviceProfile& device = file.device;
  device.peak_bfloat16 = section.flop_rate("peak_bfloat16", "Peak rate of matrix products.");
  device.memory_bandwidth = section.bandwidth("memory_bandwidth", "Of device memory.");
  device.memory_capacity = section.bytes("memory_capacity", "Of device memory.");
  device.memory_usable =
      section.optional_fraction("usable_memory", "Share of the capacity left to a program.", 1.0);
  device.operator_overhead =
      section.optional_seconds("operator_overhead", "Added to each kernel.", Seconds{});
  device.matmul_tile =
      read_matmul_tile(section.subsection("matmul_tile", "Granularity of the matrix unit."));
  device.memory_tile =
      read_memory_tile(section.subsection("memory_tile", "Granularity of device memory."));
  device.matmul_efficiency = read_constant(
      section.subsection("matmul_efficiency", "Share of the peak that padded products reach."));
  device.memory_efficiency = read_constant(
      section.subsection("memory_efficiency", "Share of the memory bandwidth that kernels reach."));
  if (auto constant = section.optional_subsection(
          "sustained_speed", "Share of the measured speed of products that hours of steps keep."))
    device.sustained_speed = read_constant(std::move(*constant));
  if (auto constant =
          section.optional_subsection("host_launch", "Time the host takes to launch an operator."))
    device.host_launch = read_time_constant(std::move(*constant));
  if (auto model = section.optional_subsection(
          "matmul_model", "How a GPU computes products, tile by tile, instead of matmul_tile."))
    device.matmul_model = read_matmul_model(std::move(*model));
  if (auto interval = section.optional_subsection(
          "step_interval", "90 % of measured steps take these multiples of the predicted time."))
    device.step_interval = read_step_interval(std::move(*interval));
  if (auto kernels = section.optional_subsection(
          "kernels", "Measured kernels, as `switchyard calibrate` writes them."))
    device.kernels = std::make_shared<const KernelProfile>(read_kernels(std::move(*kernels)));
  file.lowering = read_lowering(
      section.subsection("lowering", "How the framework and compiler turn layers into kernels."));
  file.sources = read_sources(section);
  section.finish();
  return file;
}

namespace {

/// The measured collectives that `library` names.
void read_library(Section& section, System& system) {
  system.library = section.optional_text(
      "library", "Measured collectives of its software: a profile in cost_models/profiles/links.",
      "");
  if (system.library.empty()) return;
  const Catalog catalog = link_catalog();
  if (system.library.ends_with(".yaml")) {
    const std::filesystem::path file = section.file_beside("library", system.library);
    system.library = file.string();
    system.collectives = read_document(
        load_yaml(file), [](Section entry) { return read_collective_profile(std::move(entry)); });
    return;
  }
  if (const std::optional<YamlNode> node = catalog.load(system.library)) {
    system.collectives = read_document(
        *node, [](Section entry) { return read_collective_profile(std::move(entry)); });
    return;
  }
  const std::string near = did_you_mean(system.library, catalog.names);
  section.problem(
      "library",
      fmt::format(
          "no profile of links is called {}{}", in_quotes(system.library),
          near.empty() ? fmt::format("; there are: {}", fmt::join(catalog.names, ", ")) : near));
}

}  // namespace

namespace {

/// Ranks on the cores of one machine run side by side, up to as many as were measured to; GPUs are
/// one for each rank.
void set_busy_ranks(System& system) {
  if (!system.device.kernels || system.device.kernels->measured.backend == "cuda") return;
  KernelProfile placed = *system.device.kernels;
  int measured = 1;
  for (const KernelModel& model : placed.models)
    for (const KernelPoint& point : model.points)
      measured = std::max(measured, point.call.busy_ranks);
  placed.busy_ranks = std::clamp(num_ranks(system.network), 1, measured);
  system.device.kernels = std::make_shared<const KernelProfile>(std::move(placed));
}

}  // namespace

namespace {

/// A collective of a device that is hot, all sizes alike.
void slow_down(CollectiveProfile& links, double ratio) {
  for (CollectiveTimes& times : links.collectives)
    for (TimeCurve& curve : times.curves)
      for (Seconds& time : curve.times) time = time / ratio;
}

void read_speed(Section& section, System& system) {
  const auto speed = section.optional_choice<KernelSpeed>(
      "speed", "Of measured kernels: in short runs, or what they keep in long ones.",
      KernelSpeed::kBurst,
      {{"burst", KernelSpeed::kBurst}, {"sustained", KernelSpeed::kSustained}});
  if (!section.ok() || speed == KernelSpeed::kBurst) return;
  if (!system.device.kernels || system.device.kernels->sustained.empty()) {
    section.problem("speed",
                    "the device has no sustained speeds: measure them (switchyard calibrate "
                    "--sustained 60s), or predict burst");
    return;
  }
  KernelProfile hot = *system.device.kernels;
  hot.speed = speed;
  const auto collectives = hot.sustained.find("collectives");
  if (system.collectives && collectives != hot.sustained.end())
    slow_down(*system.collectives, collectives->second.ratio);
  system.device.kernels = std::make_shared<const KernelProfile>(std::move(hot));
}

}  // namespace

SystemFile read_system(Section section, const Catalog& devices) {
  const DeviceFile device = section.catalog_entry(
      "device", "A profile in cost_models/profiles, or a device given in place.", devices,
      [](Section entry) { return read_device(std::move(entry)); });
  SystemFile file{.system = {.name = "", .network = {}, .device = device.device},
                  .lowering = device.lowering};
  file.system.network = read_network(section);
  read_library(section, file.system);
  if (section.ok()) set_busy_ranks(file.system);
  read_speed(section, file.system);
  section.finish();
  return file;
}

}  // namespace switchyard
