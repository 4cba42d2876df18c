#include "kernels/bench/attention.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/bench/blas.hpp"
#include "kernels/bench/decode_block.hpp"
#include "kernels/bench/softmax.hpp"
#include "kernels/check/numbers.hpp"
#include "kernels/cpu/parallel_for.hpp"

namespace switchyard::kernels {
namespace {

/// Queries of a block: the fastest of 64, 128 and 256 with OpenBLAS on AVX-512. Half a block of
/// keys is computed in vain.
constexpr std::int64_t kBlockQueries = 128;

std::int64_t heads_per_kv_head(const AttentionShape& shape) {
  return shape.query_heads / shape.kv_heads;
}

/// What is one pair of products: neighbouring queries of one head.
struct Block {
  std::int64_t first_row = 0;  ///< of (sequences * query_heads * queries)
  std::int64_t num_rows = 0;
  std::int64_t first_key = 0;    ///< row of (sequences * kv_heads * keys)
  std::int64_t first_query = 0;  ///< of the first row
  std::int64_t num_keys = 0;     ///< that the last row sees
};

std::int64_t blocks_per_head(const AttentionShape& shape) {
  return (shape.queries + kBlockQueries - 1) / kBlockQueries;
}

std::int64_t num_blocks(const AttentionShape& shape) {
  return shape.sequences * shape.query_heads * blocks_per_head(shape);
}

Block block_at(const AttentionShape& shape, std::int64_t index) {
  const std::int64_t group = heads_per_kv_head(shape);
  const std::int64_t head = index / blocks_per_head(shape);
  // The longest blocks of a head first, so that threads end together.
  const std::int64_t block = blocks_per_head(shape) - 1 - index % blocks_per_head(shape);
  const std::int64_t first = block * kBlockQueries;
  const std::int64_t end = std::min(first + kBlockQueries, shape.queries);
  return {.first_row = head * shape.queries + first,
          .num_rows = end - first,
          .first_key = head / group * shape.keys,
          .first_query = first,
          .num_keys = shape.keys - shape.queries + end};
}

/// All heads of a KV head at once.
void decode(const AttentionShape& shape, const CpuBackend& cpu, const AttentionArrays& arrays,
            AttentionScratch& scratch) {
  const std::int64_t group = heads_per_kv_head(shape);
  const std::int64_t width = shape.head_width;
  parallel_for(cpu, std::int64_t{shape.sequences} * shape.kv_heads,
               [&](std::int64_t index, int thread) {
                 decode_block({.heads = group,
                               .keys = shape.keys,
                               .width = width,
                               .q = arrays.q.data() + index * group * width,
                               .k = arrays.k.data() + index * shape.keys * width,
                               .v = arrays.v.data() + index * shape.keys * width,
                               .scores = scratch.scores[static_cast<std::size_t>(thread)].data(),
                               .outputs = arrays.outputs.data() + index * group * width});
               });
}

void prefill(const AttentionShape& shape, const CpuBackend& cpu, const AttentionArrays& arrays,
             AttentionScratch& scratch) {
  const std::int64_t width = shape.head_width;
  parallel_for(cpu, num_blocks(shape), [&](std::int64_t index, int thread) {
    set_blas_threads(1);
    const Block block = block_at(shape, index);
    float* scores = scratch.scores[static_cast<std::size_t>(thread)].data();
    blas_product({.m = block.num_rows,
                  .n = block.num_keys,
                  .k = width,
                  .a = arrays.q.data() + block.first_row * width,
                  .a_stride = width,
                  .b = arrays.k.data() + block.first_key * width,
                  .b_stride = width,
                  .b_transposed = true,
                  .scale = 1.0F / std::sqrt(static_cast<float>(width)),
                  .c = scores,
                  .c_stride = block.num_keys});
    for (std::int64_t row = 0; row < block.num_rows; ++row) {
      const std::int64_t query = block.first_query + row;
      softmax_row(scores + row * block.num_keys, shape.keys - shape.queries + query + 1,
                  block.num_keys);
    }
    blas_product({.m = block.num_rows,
                  .n = width,
                  .k = block.num_keys,
                  .a = scores,
                  .a_stride = block.num_keys,
                  .b = arrays.v.data() + block.first_key * width,
                  .b_stride = width,
                  .c = arrays.outputs.data() + block.first_row * width,
                  .c_stride = width});
  });
}

}  // namespace

double attention_flop(const AttentionShape& shape) {
  const auto queries = static_cast<double>(shape.queries);
  const auto before = static_cast<double>(shape.keys - shape.queries);
  const double seen = queries * before + queries * (queries + 1.0) / 2.0;
  return 4.0 * shape.sequences * shape.query_heads * shape.head_width * seen;
}

double attention_bytes(const AttentionShape& shape, int number_bytes) {
  const auto tokens = 2.0 * static_cast<double>(shape.queries) * shape.query_heads +
                      2.0 * static_cast<double>(shape.keys) * shape.kv_heads;
  return number_bytes * tokens * shape.sequences * shape.head_width;
}

AttentionData random_attention(const AttentionShape& shape) {
  const std::int64_t columns = std::int64_t{shape.sequences} * shape.head_width;
  const auto queries = static_cast<std::size_t>(columns * shape.query_heads * shape.queries);
  const auto keys = static_cast<std::size_t>(columns * shape.kv_heads * shape.keys);
  return {.q = uniform_numbers<float>(queries, 1),
          .k = uniform_numbers<float>(keys, 2),
          .v = uniform_numbers<float>(keys, 3),
          .outputs = Buffer<float>(queries)};
}

void attention(const AttentionShape& shape, const CpuBackend& cpu, const AttentionArrays& arrays,
               AttentionScratch& scratch) {
  const bool is_decode = shape.queries == 1;
  const auto most_rows =
      is_decode ? heads_per_kv_head(shape) : std::min(kBlockQueries, shape.queries);
  scratch.scores.resize(static_cast<std::size_t>(cpu.num_threads()));
  for (Buffer<float>& scores : scratch.scores)
    scores.resize(static_cast<std::size_t>(most_rows * shape.keys));
  (is_decode ? decode : prefill)(shape, cpu, arrays, scratch);
}

std::vector<double> reference_attention(const AttentionShape& shape,
                                        const AttentionArrays& arrays) {
  const auto width = static_cast<std::size_t>(shape.head_width);
  const auto number = [](float x) { return static_cast<double>(x); };
  std::vector<double> outputs(arrays.q.size(), 0.0);
  const std::int64_t num_rows = shape.sequences * shape.query_heads * shape.queries;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const std::int64_t head = row / shape.queries;
    const auto seen =
        static_cast<std::size_t>(shape.keys - shape.queries + row % shape.queries + 1);
    const auto first_key =
        static_cast<std::size_t>(head / heads_per_kv_head(shape) * shape.keys) * width;
    const float* q = arrays.q.data() + static_cast<std::size_t>(row) * width;
    std::vector<double> weights(seen);
    for (std::size_t key = 0; key < seen; ++key) {
      for (std::size_t i = 0; i < width; ++i)
        weights[key] += number(q[i]) * number(arrays.k[first_key + key * width + i]);
      weights[key] /= std::sqrt(static_cast<double>(width));
    }
    const double most = *std::ranges::max_element(weights);
    double sum = 0.0;
    for (double& weight : weights) sum += weight = std::exp(weight - most);
    double* output = outputs.data() + static_cast<std::size_t>(row) * width;
    for (std::size_t key = 0; key < seen; ++key)
      for (std::size_t i = 0; i < width; ++i)
        output[i] += weights[key] / sum * number(arrays.v[first_key + key * width + i]);
  }
  return outputs;
}

}  // namespace switchyard::kernels
