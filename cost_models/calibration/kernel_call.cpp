#include "cost_models/calibration/kernel_call.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

struct KernelSignature {
  std::string_view name;
  std::vector<std::string_view> sizes;
  bool has_variant = false;
};

/// In the order of KernelKind.
const std::array<KernelSignature, kNumKernelKinds>& signatures() {
  static const std::array<KernelSignature, kNumKernelKinds> kSignatures{
      {{"launch", {}},
       {"copy", {"bytes"}},
       {"gemm", {"rows", "n", "k"}},
       {"grouped_forward", {"rows", "n", "k", "experts"}},
       {"grouped_data_gradient", {"rows", "n", "k", "experts"}},
       {"grouped_weight_gradient", {"rows", "n", "k", "experts"}},
       {"router", {"tokens", "d_model", "experts", "choices"}},
       {"router_backward", {"tokens", "d_model", "experts", "choices"}},
       {"plan", {"tokens", "experts", "choices"}},
       {"permute", {"rows", "d_model"}},
       {"unpermute", {"tokens", "d_model", "choices"}},
       {"combine", {"tokens", "d_model", "choices"}},
       {"combine_backward", {"tokens", "d_model", "choices"}},
       {"activation", {"rows", "d_ff"}, true},
       {"activation_backward", {"rows", "d_ff"}, true},
       {"layer_norm", {"rows", "d_model"}},
       {"attention_prefill", {"sequences", "tokens", "heads", "kv_heads", "d_head"}},
       {"attention_decode", {"sequences", "keys", "heads", "kv_heads", "d_head"}},
       {"sync", {}}}};
  return kSignatures;
}

const KernelSignature& signature(KernelKind kind) {
  return signatures().at(static_cast<std::size_t>(kind));
}

}  // namespace

std::string_view kernel_name(KernelKind kind) { return signature(kind).name; }

std::optional<KernelKind> kernel_of_name(std::string_view name) {
  const auto found = std::ranges::find(signatures(), name, &KernelSignature::name);
  if (found == signatures().end()) return std::nullopt;
  return static_cast<KernelKind>(found - signatures().begin());
}

std::span<const std::string_view> size_names(KernelKind kind) { return signature(kind).sizes; }

bool has_variant(KernelKind kind) { return signature(kind).has_variant; }

std::int64_t size_of(const KernelCall& call, std::string_view name) {
  const auto names = size_names(call.kind);
  const auto found = std::ranges::find(names, name);
  SWITCHYARD_CHECK(found != names.end() && call.sizes.size() == names.size(), "{} of {}, {} sizes",
                   name, kernel_name(call.kind), call.sizes.size());
  return call.sizes[static_cast<std::size_t>(found - names.begin())];
}

std::vector<std::int64_t> expert_loads(const KernelCall& call) {
  if (!call.loads.empty()) return call.loads;
  const std::int64_t rows = size_of(call, "rows");
  const std::int64_t experts = size_of(call, "experts");
  std::vector<std::int64_t> loads(static_cast<std::size_t>(experts), rows / experts);
  for (std::int64_t e = 0; e < rows % experts; ++e) ++loads[static_cast<std::size_t>(e)];
  return loads;
}

std::string shape_text(const KernelCall& call) {
  std::string text;
  const auto names = size_names(call.kind);
  for (std::size_t i = 0; i < names.size(); ++i)
    text += fmt::format("{}{}={}", i == 0 ? "" : " ", names[i], call.sizes[i]);
  if (!call.variant.empty()) text += " kind=" + call.variant;
  for (std::size_t e = 0; e < call.loads.size(); ++e)
    text += fmt::format("{}{}", e == 0 ? " loads=" : ":", call.loads[e]);
  return text;
}

std::vector<double> coordinates(const KernelCall& call) {
  std::vector<double> place;
  for (const std::int64_t size : call.sizes)
    place.push_back(std::log2(1.0 + static_cast<double>(size)));
  place.push_back(std::log2(static_cast<double>(call.element_bytes)));
  place.push_back(std::log2(static_cast<double>(call.threads)));
  place.push_back(std::log2(static_cast<double>(call.busy_ranks)));
  double skew = 0.0;
  if (!call.loads.empty()) {
    const auto largest = static_cast<double>(std::ranges::max(call.loads));
    const auto rows = static_cast<double>(size_of(call, "rows"));
    if (rows > 0) skew = std::log2(largest * static_cast<double>(call.loads.size()) / rows);
  }
  place.push_back(skew);
  return place;
}

}  // namespace switchyard
