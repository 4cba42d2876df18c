#pragma once

#include <string>
#include <vector>

#include "cost_models/device_profile.hpp"
#include "cost_models/matmul_time.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// One MoE layer's forward pass, balanced, in bfloat16, with gated experts (three matrices).
struct StackLayerShape {
  std::int64_t tokens = 0;  ///< of all ranks: each rank has them all and computes its own part
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;  ///< of a whole expert
  int num_experts = 1;
  int top_k = 1;
  int expert_ranks = 1;  ///< experts are spread over them
  int tensor_ranks = 1;  ///< each expert is cut into as many parts
};

/// How a software stack computes the products of the experts.
enum class ExpertKernels {
  /// A library picks the tiles; tokens are first copied into the order of their experts. What
  /// belongs to other ranks is left out everywhere.
  kLibraryTiles,
  /// Triton: blocks of rows whose height follows from the number of tokens; kernels read tokens
  /// where they are. Choices of other ranks' experts are not computed, but zeros are written for
  /// them, and activation and weighted sum pass over them.
  kTokenBlocks,
};

/// A shape for which kTokenBlocks' wide tiles were found by measuring.
struct TunedShape {
  std::int64_t experts = 0;  ///< of one rank
  std::int64_t d_ff = 0;     ///< of one rank
};

/// How a software stack computes MoE layers on one kind of device.
struct MoeLayerStack {
  std::string name;       ///< "TensorRT-LLM 1.3.0rc20"
  std::string framework;  ///< as measurements call it
  std::string device;     ///< the profile with everything that is not here
  ExpertKernels kernels = ExpertKernels::kLibraryTiles;
  std::vector<TunedShape> tuned = {};               ///< kTokenBlocks only
  Constant matmul_efficiency = {};                  ///< of grouped products, see MatmulModel
  Constant streaming_efficiency = {};               ///< share of the memory bandwidth
  QuantityConstant<BytesPerSecond> load_rate = {};  ///< of one multiprocessor
  Constant wave_quantization = {};
  /// Share of the shorter of operations and traffic that passes under the longer. Less than 1,
  /// because a tile's first loads wait for memory and its last products for nobody.
  Constant hidden_share = {};
  QuantityConstant<Seconds> layer_overhead = {};  ///< launches and ends of all kernels of a layer
};

/// What one rank has of a layer.
struct RankLayer {
  std::int64_t experts = 0;      ///< that have tokens
  std::int64_t expert_rows = 0;  ///< choices of each, rounded up
  double rows = 0;               ///< choices of all of them, at least 1
  double all_choices = 0;        ///< of all ranks' experts
  std::int64_t d_ff = 0;         ///< of one rank
};
[[nodiscard]] RankLayer rank_layer(const StackLayerShape& shape);

/// Tile of kTokenBlocks: 16, 32, 64, 128 rows up to 32, 96, 512 tokens and above; 64 columns with
/// 16 rows, 256 where the shape is tuned and 128 rows, else 128.
/// Source: the tables in vllm-project/vllm at c6991a3,
/// vllm/model_executor/layers/fused_moe/configs,
///         E=8 with N of 7168, 3584, 1792 on an H100: heights, and widths of tuned shapes. The
///         widths of others are assumed.
[[nodiscard]] ProductTile token_block(const StackLayerShape& shape, const MoeLayerStack& stack);

/// Time of the layer on one rank, without any network:
///
///   T = layer_overhead + sum over both products of
///         max(tiles, traffic) + (1 - hidden_share) * min(operations / rate, traffic)
///       + moved bytes / copy rate
///
/// where tiles is tiled_product_time() or one_tile_product_time() with the stack's constants,
/// traffic = (weights + rows in and out) / (bandwidth * streaming_efficiency), operations are those
/// of each expert's rows padded (to 16, or to the block), rate = peak * matmul_efficiency, copy
/// rate = bandwidth * the device's memory_efficiency, and moved bytes are permutation
/// (kLibraryTiles), activation, weighted sum and zeros (kTokenBlocks). Precondition: the device has
/// a matmul_model; expert_ranks divide num_experts and tensor_ranks d_ff (checked).
[[nodiscard]] Seconds moe_layer_time(const StackLayerShape& shape, const MoeLayerStack& stack,
                                     const DeviceProfile& device);

/// Operations of one rank's products, without padding.
[[nodiscard]] Flop moe_layer_flop(const StackLayerShape& shape);

/// Weights of the experts that have tokens, and rows in and out of both products, of one rank.
[[nodiscard]] Bytes moe_layer_traffic(const StackLayerShape& shape);

}  // namespace switchyard
