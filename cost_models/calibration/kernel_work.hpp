#pragma once

#include <span>

#include "cost_models/calibration/kernel_call.hpp"
#include "sim/core/units.hpp"

namespace switchyard {

/// Of a sum, and of a number that a CPU copied into a tile.
inline constexpr double kFloatBytes = 4;

/// How the kernels of a backend cut products: what their quantisation depends on.
struct ProductTiles {
  int rows = 12;  ///< of a tile, computed whole
  int columns = 32;
  int multiprocessors = 1;  ///< that share the tiles of a kernel; CPUs: 1, and threads share tasks
};

/// What the busiest thread of a call does. Counts that a form multiplies by constants.
struct KernelWork {
  Flop flop{};      ///< of products, whole tiles; of attention without what the mask leaves out
  Bytes traffic{};  ///< activations read and written, copies into tiles included
  Bytes
      weights{};  ///< read from memory; of weight gradients: written to it; keys, copied into tiles
  Bytes narrow_traffic{};  ///< the part of the traffic that is of bfloat16 numbers
  Bytes narrow_weights{};
  Bytes working_set{};      ///< different bytes of activations, of one thread
  double items = 0;         ///< numbers that a core handles one by one or in vectors
  double narrow_items = 0;  ///< the part of them that are bfloat16
  double groups = 0;        ///< tasks of products, experts of a plan, tokens of sums
};

/// Work of a call. With T threads all but the flop are a T-th; tasks of products are dealt out in
/// order to the thread that is free first.
///
///   kernel            items                             groups
///   gemm, grouped                                       tasks
///   router            tokens * experts                  tokens * experts * choices
///   router_backward   tokens * experts                  tokens * choices
///   plan              tokens * choices                  experts
///   permute, norm     rows * d_model                    rows
///   sums of rows      numbers read and written          tokens
///                     (narrow: written)
///   activation        rows * d_ff
///   attention         scores that the mask leaves       sequences * heads
///
/// Products on a CPU follow kernels/cpu/run_gemm.hpp: tasks of at most 960 x 256, narrower until
/// each thread has four; each task copies its part of both operands.
[[nodiscard]] KernelWork kernel_work(const KernelCall& call, const ProductTiles& tiles);

/// Operations and bytes without tiles and copies: what a roofline counts.
[[nodiscard]] KernelWork plain_work(const KernelCall& call);

/// One product of a call: (rows, depth) x (depth, columns).
struct ProductShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t depth = 0;
};

/// What products in one call add up to. On a GPU (several multiprocessors) all of them count as one
/// thread, which has no tasks: whole tiles of half the height and width of `tiles`, and no fewer
/// operations than if each multiprocessor had as long a part, up to 1024 deep, as the longest; the
/// library is taken to split deeper ones. That depth and the halves are assumed.
struct ProductWork {
  double flop = 0;      ///< of the busiest thread, whole tiles
  double copied_a = 0;  ///< numbers of the left operand copied into tiles, over all tasks
  double copied_b = 0;
  double sums = 0;   ///< numbers of results added up in scratch, once for each 256 of the depth
  double tasks = 0;  ///< of the busiest thread
};
[[nodiscard]] ProductWork product_work(std::span<const ProductShape> products, int threads,
                                       const ProductTiles& tiles);

/// Work of router and router_backward, of all threads but for the flop: their products, whose
/// operands a CPU copies into tiles, and the numbers of all logits.
[[nodiscard]] KernelWork router_work(const KernelCall& call, const ProductTiles& tiles);

}  // namespace switchyard
