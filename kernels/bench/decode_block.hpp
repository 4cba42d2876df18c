#pragma once

#include <cstdint>

namespace switchyard::kernels {

/// Heads that share keys and values, one query of each.
struct DecodeBlock {
  std::int64_t heads = 1;
  std::int64_t keys = 1;
  std::int64_t width = 64;   ///< of a head
  const float* q = nullptr;  ///< (heads, width)
  const float* k = nullptr;  ///< (keys, width)
  const float* v = nullptr;  ///< (keys, width)
  float* scores = nullptr;   ///< (heads, keys), scratch
  float* outputs = nullptr;  ///< (heads, width), overwritten
};

/// outputs = softmax(q k^T / sqrt(width)) v. Keys and values are read once, in order, as what they
/// cost is reading them.
void decode_block(const DecodeBlock& block);

}  // namespace switchyard::kernels
