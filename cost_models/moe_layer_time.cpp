#include "cost_models/moe_layer_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr Bytes kElement{2.0};                 // bfloat16
constexpr std::int64_t kInstructionRows = 16;  ///< least rows that library tiles compute

/// One of the two grouped products: (rows, contraction) x (contraction, columns).
struct ExpertProduct {
  std::int64_t contraction = 0;
  std::int64_t columns = 0;
};

std::array<ExpertProduct, 2> expert_products(const StackLayerShape& shape, std::int64_t d_ff) {
  return {{{shape.d_model, 2 * d_ff}, {d_ff, shape.d_model}}};
}

Bytes product_traffic(const RankLayer& rank, const ExpertProduct& product) {
  const auto contraction = static_cast<double>(product.contraction);
  const auto columns = static_cast<double>(product.columns);
  return (static_cast<double>(rank.experts) * contraction * columns +
          rank.rows * (contraction + columns)) *
         kElement;
}

DeviceProfile with_constants_of(const MoeLayerStack& stack, DeviceProfile device) {
  device.matmul_efficiency = stack.matmul_efficiency;
  device.matmul_model->streaming_efficiency = stack.streaming_efficiency;
  device.matmul_model->load_rate = stack.load_rate;
  device.matmul_model->wave_quantization = stack.wave_quantization;
  return device;
}

Bytes moved_bytes(const StackLayerShape& shape, const RankLayer& rank, ExpertKernels kernels) {
  const auto d_model = static_cast<double>(shape.d_model);
  const auto d_ff = static_cast<double>(rank.d_ff);
  const double sums = static_cast<double>(shape.tokens) * d_model;
  if (kernels == ExpertKernels::kLibraryTiles)
    return (rank.rows * (2 * d_model + 3 * d_ff + d_model) + sums) * kElement;
  const double elsewhere = rank.all_choices - rank.rows;
  return (rank.all_choices * (3 * d_ff + d_model) + elsewhere * (2 * d_ff + d_model) + sums) *
         kElement;
}

std::int64_t round_up(std::int64_t count, std::int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

}  // namespace

RankLayer rank_layer(const StackLayerShape& shape) {
  SWITCHYARD_CHECK(shape.tokens > 0 && shape.num_experts % shape.expert_ranks == 0 &&
                       shape.d_ff % shape.tensor_ranks == 0,
                   "{} tokens, {} experts over {}, {} columns over {}", shape.tokens,
                   shape.num_experts, shape.expert_ranks, shape.d_ff, shape.tensor_ranks);
  const double all_choices = static_cast<double>(shape.tokens) * shape.top_k;
  const double rows = std::max(1.0, all_choices / shape.expert_ranks);
  const auto experts = std::min<std::int64_t>(shape.num_experts / shape.expert_ranks,
                                              static_cast<std::int64_t>(std::ceil(rows)));
  return {.experts = experts,
          .expert_rows = static_cast<std::int64_t>(std::ceil(rows / static_cast<double>(experts))),
          .rows = rows,
          .all_choices = all_choices,
          .d_ff = shape.d_ff / shape.tensor_ranks};
}

ProductTile token_block(const StackLayerShape& shape, const MoeLayerStack& stack) {
  if (shape.tokens <= 32) return {16, 64};
  if (shape.tokens <= 96) return {32, 128};
  if (shape.tokens <= 512) return {64, 128};
  const bool is_tuned = std::ranges::any_of(stack.tuned, [&](const TunedShape& tuned) {
    return tuned.experts * shape.expert_ranks == shape.num_experts &&
           tuned.d_ff * shape.tensor_ranks == shape.d_ff;
  });
  return {128, is_tuned ? 256 : 128};
}

Seconds moe_layer_time(const StackLayerShape& shape, const MoeLayerStack& stack,
                       const DeviceProfile& device) {
  SWITCHYARD_CHECK(device.matmul_model.has_value(), "{} has no matmul_model", device.name);
  const RankLayer rank = rank_layer(shape);
  const DeviceProfile with_stack = with_constants_of(stack, device);
  const bool in_blocks = stack.kernels == ExpertKernels::kTokenBlocks;
  const ProductTile block = token_block(shape, stack);
  const std::int64_t padded =
      round_up(rank.expert_rows, in_blocks ? block.height : kInstructionRows);
  Seconds total = stack.layer_overhead.value;
  for (const ExpertProduct& product : expert_products(shape, rank.d_ff)) {
    Matmul matmul{.batch = static_cast<double>(rank.experts),
                  .rows = rank.expert_rows,
                  .contraction = product.contraction,
                  .columns = product.columns,
                  .kernel = MatmulKernel::kGrouped};
    const Seconds tiles = in_blocks ? one_tile_product_time(matmul, block, with_stack)
                                    : tiled_product_time({&matmul, 1}, with_stack);
    const Seconds traffic = product_traffic(rank, product) /
                            (device.memory_bandwidth * stack.streaming_efficiency.value);
    matmul.rows = padded;
    const Seconds operations =
        matmul_flop(matmul) / (device.peak_bfloat16 * stack.matmul_efficiency.value);
    total +=
        std::max(tiles, traffic) + (1.0 - stack.hidden_share.value) * std::min(operations, traffic);
  }
  return total + moved_bytes(shape, rank, stack.kernels) /
                     (device.memory_bandwidth * device.memory_efficiency.value);
}

Flop moe_layer_flop(const StackLayerShape& shape) {
  const RankLayer rank = rank_layer(shape);
  Flop total;
  for (const ExpertProduct& product : expert_products(shape, rank.d_ff))
    total += Flop{2.0 * rank.rows * static_cast<double>(product.contraction) *
                  static_cast<double>(product.columns)};
  return total;
}

Bytes moe_layer_traffic(const StackLayerShape& shape) {
  const RankLayer rank = rank_layer(shape);
  Bytes total;
  for (const ExpertProduct& product : expert_products(shape, rank.d_ff))
    total += product_traffic(rank, product);
  return total;
}

}  // namespace switchyard
