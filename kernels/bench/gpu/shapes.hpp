#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/layer/layer_spec.hpp"

namespace switchyard::kernels {

/// A layer that is timed, and the rows of its experts.
struct BenchShape {
  std::string name;
  MoeLayerSpec spec;
  std::int64_t num_tokens = 0;
  std::vector<int> rows;   ///< of each expert
  bool is_decode = false;  ///< forward alone, weights stream

  [[nodiscard]] std::int64_t num_rows() const {
    std::int64_t sum = 0;
    for (const int of_expert : rows) sum += of_expert;
    return sum;
  }
};

/// Mixtral 8x7B: 8 experts of 4096 * 14336, SwiGLU, top 2; balanced, or drawn for decode.
/// Switch-C: 16 local experts of 2080 * 6144 with 2048 rows each. Switch-Base: 128 experts of
/// 768 * 2048, GEGLU, top 1.
[[nodiscard]] std::vector<BenchShape> bench_shapes();

}  // namespace switchyard::kernels
