#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/layer/buffer.hpp"

namespace switchyard::kernels {

/// Causal attention with grouped queries, between the projections of one layer: query_heads /
/// kv_heads neighbouring heads share keys and values.
///
/// The last `queries` tokens of each sequence ask, query i of them sees the keys 0 .. keys -
/// queries + i. All of them in prefill, one in decoding with a cache.
struct AttentionShape {
  int sequences = 1;
  std::int64_t queries = 1;  ///< of a sequence
  std::int64_t keys = 1;     ///< of a sequence, at least `queries`
  int query_heads = 32;
  int kv_heads = 8;  ///< divides query_heads
  int head_width = 128;
};

/// Floating-point operations of both products over the keys that queries see; the softmax is not
/// counted.
[[nodiscard]] double attention_flop(const AttentionShape& shape);

/// Bytes of queries, keys, values and results, each once, in numbers of `number_bytes`.
[[nodiscard]] double attention_bytes(const AttentionShape& shape, int number_bytes);

/// Operands of one call.
/// @param q        (sequences, query_heads, queries, head_width)
/// @param k        (sequences, kv_heads, keys, head_width)
/// @param v        as k
/// @param outputs  as q, overwritten
struct AttentionArrays {
  std::span<const float> q;
  std::span<const float> k;
  std::span<const float> v;
  std::span<float> outputs;
};

struct AttentionData {
  Buffer<float> q, k, v, outputs;
};

/// Uniform numbers in (-1, 1).
[[nodiscard]] AttentionData random_attention(const AttentionShape& shape);

[[nodiscard]] inline AttentionArrays arrays_of(AttentionData& data) {
  return {.q = data.q, .k = data.k, .v = data.v, .outputs = data.outputs};
}

/// Scores of one block of queries, by thread; reused from call to call.
struct AttentionScratch {
  std::vector<Buffer<float>> scores;
};

/// Prefill: both products by BLAS, in blocks of queries that skip the keys behind them, the softmax
/// between them ours. Each thread of `cpu` calls a BLAS of one thread. Decoding: decode_block.
///
/// For benchmarks: the kernels' library has no attention.
/// Precondition: has_blas(), or one query.
void attention(const AttentionShape& shape, const CpuBackend& cpu, const AttentionArrays& arrays,
               AttentionScratch& scratch);

/// The same in double, number by number.
[[nodiscard]] std::vector<double> reference_attention(const AttentionShape& shape,
                                                      const AttentionArrays& arrays);

}  // namespace switchyard::kernels
