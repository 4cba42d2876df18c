#include "sim/cli/compare/kernel_classes.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/cli/csv_reader.hpp"
#include "sim/cli/message_text.hpp"

namespace switchyard {
namespace {

using C = TimeClass;

std::string in_small_letters(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::optional<TimeClass> found_in(const std::string& name, std::span<const KernelClass> classes) {
  const auto found = std::ranges::find_if(
      classes, [&](const KernelClass& c) { return name.find(c.pattern) != std::string::npos; });
  if (found == classes.end()) return std::nullopt;
  return found->time_class;
}

}  // namespace

std::span<const KernelClass> known_kernel_classes() {
  static const std::vector<KernelClass> kKnown{
      // NCCL and DeepEP; PyTorch's all-to-all is sends and receives.
      {"allreduce", C::kAllReduce},
      {"allgather", C::kGather},
      {"reducescatter", C::kGather},
      {"sendrecv", C::kAllToAll},
      {"alltoall", C::kAllToAll},
      {"deep_ep", C::kAllToAll},
      // Optimizers, before the elementwise kernels and sums that they are made of.
      {"adam", C::kOptimizer},
      {"multi_tensor_apply", C::kOptimizer},
      {"adafactor", C::kOptimizer},
      // FlashAttention, xFormers, cuDNN.
      {"flash", C::kAttention},
      {"fmha", C::kAttention},
      {"attention", C::kAttention},
      {"sdpa", C::kAttention},
      // Experts in one kernel: CUTLASS, Megatron, vLLM, TensorRT-LLM, DeepGEMM.
      {"grouped", C::kExperts},
      {"groupproblem", C::kExperts},
      {"group_gemm", C::kExperts},
      {"fused_moe", C::kExperts},
      {"moe_gemm", C::kExperts},
      {"moegemm", C::kExperts},
      // Choosing experts, and taking rows there and back.
      {"topk", C::kRouter},
      {"moe_align", C::kPermutation},
      {"router", C::kRouter},
      {"gating", C::kRouter},
      {"permute", C::kPermutation},
      {"index", C::kPermutation},
      {"scatter", C::kPermutation},
      {"gather", C::kPermutation},
      {"sort", C::kPermutation},
      {"histogram", C::kPermutation},
      {"scan", C::kPermutation},
      // Norms before products: some of their names have both.
      {"layer_norm", C::kElementwise},
      {"layernorm", C::kElementwise},
      {"rmsnorm", C::kElementwise},
      {"rms_norm", C::kElementwise},
      {"elementwise", C::kElementwise},
      {"triton_", C::kElementwise},
      // cuBLAS, CUTLASS.
      {"gemm", C::kProducts},
      {"nvjet", C::kProducts},
      {"cutlass", C::kProducts},
      {"xmma", C::kProducts},
      {"matmul", C::kProducts},
      {"gemv", C::kProducts},
      {"splitk", C::kProducts},
      {"cublas", C::kProducts},
      {"dot_kernel", C::kProducts},
      // The rest of a step.
      {"norm", C::kElementwise},
      {"softmax", C::kElementwise},
      {"embedding", C::kElementwise},
      {"activation", C::kElementwise},
      {"gelu", C::kElementwise},
      {"silu", C::kElementwise},
      {"swiglu", C::kElementwise},
      {"relu", C::kElementwise},
      {"dropout", C::kElementwise},
      {"rotary", C::kElementwise},
      {"rope", C::kElementwise},
      {"loss", C::kElementwise},
      {"reduce_kernel", C::kElementwise},
      {"catarray", C::kElementwise},
      {"copy_kernel", C::kElementwise},
      {"fillfunctor", C::kElementwise},
      {"memcpy dtod", C::kElementwise},
      {"memset", C::kElementwise},
  };
  return kKnown;
}

std::vector<KernelClass> read_kernel_classes(const std::filesystem::path& file) {
  CsvReader csv{file};
  csv.require({"pattern", "class"});
  std::vector<std::string> names;
  for (int i = 0; i < kNumTimeClasses; ++i)
    names.emplace_back(time_class_name(static_cast<TimeClass>(i)));
  std::vector<KernelClass> classes;
  while (csv.next_row()) {
    const auto time_class = time_class_of_name(csv.text("class"));
    if (csv.text("pattern").empty()) csv.problem("pattern: expected a part of names of kernels");
    if (!time_class)
      csv.problem(fmt::format("class: expected one of {}, got {}{}", fmt::join(names, ", "),
                              in_quotes(csv.text("class")),
                              did_you_mean(csv.text("class"), names)));
    else
      classes.push_back({in_small_letters(csv.text("pattern")), *time_class});
  }
  csv.throw_if_any();
  return classes;
}

std::optional<TimeClass> class_of_kernel(const std::string& name,
                                         std::span<const KernelClass> own) {
  const std::string small = in_small_letters(name);
  if (const auto found = found_in(small, own)) return found;
  return found_in(small, known_kernel_classes());
}

}  // namespace switchyard
