#include "kernels/bench/gpu/shapes.hpp"

#include "kernels/layer/counter_random.hpp"

namespace switchyard::kernels {
namespace {

MoeLayerSpec mixtral() {
  MoeLayerSpec spec;
  spec.d_model = 4096;
  spec.d_ff = 14336;
  spec.num_experts = 8;
  spec.activation = Activation::kSwiglu;
  spec.router.top_k = 2;
  spec.router.renormalized = true;
  return spec;
}

MoeLayerSpec switch_layer(int d_model, int d_ff, int num_experts, Activation activation) {
  MoeLayerSpec spec;
  spec.d_model = d_model;
  spec.d_ff = d_ff;
  spec.num_experts = num_experts;
  spec.activation = activation;
  return spec;
}

BenchShape balanced(const std::string& name, const MoeLayerSpec& spec, std::int64_t num_tokens) {
  const std::int64_t rows = num_tokens * spec.router.top_k / spec.num_experts;
  return {name, spec, num_tokens,
          std::vector<int>(static_cast<std::size_t>(spec.num_experts), static_cast<int>(rows))};
}

/// Each token takes two different experts at random.
BenchShape decode(std::int64_t num_tokens) {
  BenchShape shape{"decode_" + std::to_string(num_tokens), mixtral(), num_tokens,
                   std::vector<int>(8), true};
  for (std::int64_t t = 0; t < num_tokens; ++t) {
    const auto counter = static_cast<std::uint64_t>(2 * t);
    const auto first = static_cast<std::size_t>(uniform_at(17, counter) * 8.0F);
    const auto other = static_cast<std::size_t>(uniform_at(17, counter + 1) * 7.0F);
    ++shape.rows[first];
    ++shape.rows[other < first ? other : other + 1];
  }
  return shape;
}

}  // namespace

std::vector<BenchShape> bench_shapes() {
  const auto base = switch_layer(768, 2048, 128, Activation::kGeglu);
  return {balanced("mixtral_8192", mixtral(), 8192),
          balanced("switch_c_32k", switch_layer(2080, 6144, 16, Activation::kRelu), 32768),
          balanced("switch_base_64k", base, 65536),
          balanced("switch_base_8k", base, 8192),
          decode(1),
          decode(8),
          decode(64)};
}

}  // namespace switchyard::kernels
