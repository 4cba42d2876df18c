#include <algorithm>
#include <vector>

#include "cost_models/calibration/kernel_work.hpp"

namespace switchyard {
namespace {

constexpr std::int64_t kPieceTokens = 192;  // of the logits' products, as in kernels/cpu/router.cpp

/// logits (tokens, experts), in pieces.
std::vector<ProductShape> logits_of(std::int64_t tokens, std::int64_t experts,
                                    std::int64_t d_model) {
  std::vector<ProductShape> products;
  for (std::int64_t t = 0; t < tokens; t += kPieceTokens)
    products.push_back({std::min(kPieceTokens, tokens - t), experts, d_model});
  return products;
}

}  // namespace

KernelWork router_work(const KernelCall& call, const ProductTiles& tiles) {
  const std::int64_t tokens = size_of(call, "tokens");
  const std::int64_t experts = size_of(call, "experts");
  const std::int64_t d_model = size_of(call, "d_model");
  const auto choices = static_cast<double>(size_of(call, "choices"));
  const auto logits = static_cast<double>(tokens) * static_cast<double>(experts);
  const auto inputs = static_cast<double>(tokens) * static_cast<double>(d_model);
  const auto weights = static_cast<double>(experts) * static_cast<double>(d_model);
  const double e = call.element_bytes;
  const bool is_gpu = tiles.multiprocessors > 1;
  const bool is_backward = call.kind == KernelKind::kRouterBackward;

  KernelWork work{.working_set = Bytes{e * inputs}, .items = logits};
  const double written = is_backward ? kFloatBytes * inputs : 0.0;
  work.traffic = Bytes{written};
  work.working_set += Bytes{written};
  work.groups = choices * (is_backward ? static_cast<double>(tokens) : logits);
  double inputs_copied = 0;
  const auto add = [&](const std::vector<ProductShape>& products, bool has_inputs_left,
                       bool has_inputs_right) {
    const ProductWork p = product_work(products, call.threads, tiles);
    work.flop += Flop{p.flop};
    const double left = has_inputs_left ? e : kFloatBytes;
    const double right = has_inputs_right ? e : kFloatBytes;
    inputs_copied += has_inputs_left ? p.copied_a : 0.0;
    inputs_copied += has_inputs_right ? p.copied_b : 0.0;
    work.traffic += Bytes{(left + kFloatBytes) * p.copied_a + (right + kFloatBytes) * p.copied_b +
                          2.0 * kFloatBytes * p.sums};
  };
  if (is_backward) {
    add({{experts, d_model, tokens}}, false, true);
    add({{tokens, d_model, experts}}, false, false);
  } else {
    add(logits_of(tokens, experts, d_model), true, false);
  }
  if (is_gpu) {
    work.traffic = Bytes{e * inputs + written};
    inputs_copied = inputs;
  } else {
    work.traffic += Bytes{2.0 * kFloatBytes * weights};  // rounded to what the router stores
  }
  work.narrow_traffic = Bytes{e * inputs_copied};
  return work;
}

}  // namespace switchyard
