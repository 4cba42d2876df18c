#include "cost_models/calibration/kernel_work.hpp"

#include <algorithm>
#include <cmath>

namespace switchyard {
namespace {

/// The sizes of a call as doubles, for products that exceed whole numbers.
struct Sizes {
  const KernelCall& call;
  double operator[](std::string_view name) const {
    return static_cast<double>(size_of(call, name));
  }
};

std::vector<ProductShape> products_of(const KernelCall& call) {
  const std::int64_t n = size_of(call, "n");
  const std::int64_t k = size_of(call, "k");
  if (call.kind == KernelKind::kGemm)
    return {{.rows = size_of(call, "rows"), .columns = n, .depth = k}};
  std::vector<ProductShape> products;
  for (const std::int64_t rows : expert_loads(call)) switch (call.kind) {
      case KernelKind::kGroupedDataGradient:
        products.push_back({.rows = rows, .columns = k, .depth = n});
        break;
      case KernelKind::kGroupedWeightGradient:
        products.push_back({.rows = n, .columns = k, .depth = rows});
        break;
      default:
        products.push_back({.rows = rows, .columns = n, .depth = k});
    }
  return products;
}

/// Products: both operands are copied as float32, results are added up in scratch and then written.
KernelWork work_of_products(const KernelCall& call, const ProductTiles& tiles) {
  const std::vector<ProductShape> products = products_of(call);
  const ProductWork p = product_work(products, call.threads, tiles);
  const double e = call.element_bytes;
  // CPU kernels copy both operands into tiles of floats, and add up results in scratch.
  const bool is_gpu = tiles.multiprocessors > 1;
  const double copy = is_gpu ? e : e + kFloatBytes;
  const double scratch = is_gpu ? 0.0 : 2.0 * kFloatBytes;
  double activations = 0;
  double results = 0;
  for (const ProductShape& shape : products) {
    activations += static_cast<double>(shape.rows * shape.depth);
    results += static_cast<double>(shape.rows * shape.columns);
  }
  KernelWork work{.flop = Flop{p.flop}, .traffic = Bytes{copy * p.copied_a}, .groups = p.tasks};
  if (call.kind == KernelKind::kGroupedWeightGradient) {
    for (const ProductShape& shape : products)
      activations += static_cast<double>(shape.depth * shape.columns);
    work.traffic += Bytes{copy * p.copied_b + scratch * p.sums};
    work.weights = Bytes{kFloatBytes * results};
    work.narrow_traffic = Bytes{e * (p.copied_a + p.copied_b)};
    work.working_set = Bytes{e * activations};
  } else {
    work.traffic += Bytes{scratch * p.sums + e * results};
    work.weights = Bytes{e * p.copied_b};
    work.narrow_traffic = Bytes{e * (p.copied_a + results)};
    work.narrow_weights = work.weights;
    work.working_set = Bytes{e * (activations + results)};
  }
  return work;
}

/// Scores of a head in blocks of queries, each with the keys that its last query sees.
double computed_scores(double tokens) {
  constexpr double kBlockQueries = 128;  // as in kernels/bench/attention.cpp
  const double whole = std::floor(tokens / kBlockQueries);
  return kBlockQueries * kBlockQueries * 0.5 * whole * (whole + 1.0) +
         (tokens - whole * kBlockQueries) * tokens;
}

KernelWork work_of_attention(const KernelCall& call) {
  const Sizes size{call};
  const double e = call.element_bytes;
  const bool is_prefill = call.kind == KernelKind::kAttentionPrefill;
  const double queries = is_prefill ? size["tokens"] : 1.0;
  const double keys = is_prefill ? size["tokens"] : size["keys"];
  const double scores =
      size["sequences"] * size["heads"] * (is_prefill ? computed_scores(queries) : keys);
  const double query_bytes = 2.0 * size["sequences"] * queries * size["heads"] * size["d_head"] * e;
  const double key_bytes = 2.0 * size["sequences"] * keys * size["kv_heads"] * size["d_head"] * e;
  // A BLAS copies keys and values into tiles; decoding reads them where they are.
  const double copied_bytes = is_prefill ? key_bytes : 0.0;
  return {.flop = Flop{4.0 * scores * size["d_head"]},
          .traffic = Bytes{query_bytes + key_bytes},
          .weights = Bytes{copied_bytes},
          .narrow_traffic = Bytes{query_bytes + key_bytes},
          .narrow_weights = Bytes{copied_bytes},
          .working_set = Bytes{query_bytes + key_bytes},
          .items = scores,
          .groups = size["sequences"] * size["heads"]};
}

/// Rows in and out, of `passes` tensors of (rows, width) in all.
KernelWork work_of_rows(double rows, double width, double passes, double element_bytes) {
  const Bytes bytes{rows * width * passes * element_bytes};
  return {.traffic = bytes, .working_set = bytes};
}

KernelWork whole_work(const KernelCall& call, const ProductTiles& tiles) {
  const Sizes size{call};
  const double e = call.element_bytes;
  switch (call.kind) {
    case KernelKind::kLaunch:
    case KernelKind::kSync:
      return {};
    case KernelKind::kCopy:
      return work_of_rows(size["bytes"], 1.0, 2.0, 1.0);
    case KernelKind::kGemm:
    case KernelKind::kGroupedForward:
    case KernelKind::kGroupedDataGradient:
    case KernelKind::kGroupedWeightGradient:
      return work_of_products(call, tiles);
    case KernelKind::kRouter:
    case KernelKind::kRouterBackward:
      return router_work(call, tiles);
    case KernelKind::kPlan:
      return {.items = size["tokens"] * size["choices"], .groups = size["experts"]};
    case KernelKind::kPermute: {
      KernelWork work = work_of_rows(size["rows"], size["d_model"], 2.0, e);
      work.items = work.narrow_items = size["rows"] * size["d_model"];
      work.groups = size["rows"];
      return work;
    }
    case KernelKind::kUnpermute:
    case KernelKind::kCombine:
    case KernelKind::kCombineBackward: {
      const bool is_backward = call.kind == KernelKind::kCombineBackward;
      const double passes = is_backward ? 2.0 * size["choices"] + 1.0 : size["choices"] + 1.0;
      KernelWork work = work_of_rows(size["tokens"], size["d_model"], passes, e);
      if (call.kind == KernelKind::kUnpermute)
        work.traffic += Bytes{kFloatBytes * size["tokens"] * size["d_model"]};
      work.items = size["tokens"] * size["d_model"] * passes;
      // Written, with rounding; widening what is read costs little.
      work.narrow_items = size["tokens"] * size["d_model"] * (is_backward ? size["choices"] : 1.0);
      work.groups = size["tokens"];
      return work;
    }
    case KernelKind::kActivation:
    case KernelKind::kActivationBackward: {
      const bool is_gated = call.variant == "geglu" || call.variant == "swiglu";
      const bool is_backward = call.kind == KernelKind::kActivationBackward;
      const double inputs = is_gated ? 2.0 : 1.0;
      KernelWork work = work_of_rows(size["rows"], size["d_ff"],
                                     is_backward ? 2.0 * inputs + 1.0 : inputs + 1.0, e);
      work.items = work.narrow_items = size["rows"] * size["d_ff"];
      return work;
    }
    case KernelKind::kLayerNorm: {
      KernelWork work = work_of_rows(size["rows"], size["d_model"], 2.0, e);
      work.items = work.narrow_items = size["rows"] * size["d_model"];
      work.groups = size["rows"];
      return work;
    }
    case KernelKind::kAttentionPrefill:
    case KernelKind::kAttentionDecode:
      return work_of_attention(call);
  }
  return {};
}

bool is_product(KernelKind kind) {
  return kind == KernelKind::kGemm || kind == KernelKind::kGroupedForward ||
         kind == KernelKind::kGroupedDataGradient || kind == KernelKind::kGroupedWeightGradient;
}

}  // namespace

KernelWork kernel_work(const KernelCall& call, const ProductTiles& tiles) {
  KernelWork work = whole_work(call, tiles);
  const double share = 1.0 / call.threads;
  const bool is_router =
      call.kind == KernelKind::kRouter || call.kind == KernelKind::kRouterBackward;
  if (!is_product(call.kind) && !is_router) work.flop = share * work.flop;
  work.traffic = share * work.traffic;
  work.weights = share * work.weights;
  work.narrow_traffic = (call.element_bytes == 2 ? share : 0.0) * work.narrow_traffic;
  work.narrow_weights = (call.element_bytes == 2 ? share : 0.0) * work.narrow_weights;
  work.working_set = share * work.working_set;
  work.items *= share;
  work.narrow_items *= call.element_bytes == 2 ? share : 0.0;
  if (!is_product(call.kind)) work.groups *= share;
  return work;
}

KernelWork plain_work(const KernelCall& of_threads) {
  KernelCall call = of_threads;
  call.threads = 1;
  const Sizes size{call};
  KernelWork work = whole_work(call, {.rows = 1, .columns = 1});
  if (call.kind == KernelKind::kAttentionPrefill)
    work.flop = (0.5 * (size["tokens"] + 1.0) * size["tokens"] / computed_scores(size["tokens"])) *
                work.flop;  // what the mask leaves
  if (!is_product(call.kind)) return work;
  const double experts = call.kind == KernelKind::kGemm ? 1.0 : size["experts"];
  const bool is_gradient = call.kind == KernelKind::kGroupedWeightGradient;
  const double matrix_bytes = is_gradient ? kFloatBytes : call.element_bytes;
  work.flop = Flop{2.0 * size["rows"] * size["n"] * size["k"]};
  work.traffic = Bytes{call.element_bytes * size["rows"] * (size["n"] + size["k"])};
  work.weights = Bytes{matrix_bytes * experts * size["n"] * size["k"]};
  return work;
}

}  // namespace switchyard
